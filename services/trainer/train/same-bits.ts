// Whether an engine gives the same bits for the same input, and what is said when it does not.

import { ThawError } from '@thaw/common/errors/thaw-error.ts';

/** Throws EngineUnavailable when two runs differ. */
export function twice(what: string, compute: () => Float32Array): Float32Array {
  const first = compute();
  if (!sameBytes(first, compute())) throw unstable(`${what} differs between two runs`);
  return first;
}

export function unstable(what: string): ThawError {
  return new ThawError(
    'EngineUnavailable',
    `the engine does not give the same bits for the same input (${what}), so results could not be reproduced; ` +
      'use one engine thread (trainers.threads: 1) or another engine',
  );
}

export function sameBytes(a: Float32Array, b: Float32Array): boolean {
  return Buffer.compare(asBytes(a), asBytes(b)) === 0;
}

export function asBytes(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
