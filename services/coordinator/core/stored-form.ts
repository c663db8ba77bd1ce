// The state as bytes: what is stored under the job's key. Versioned, bounded, without what trainers repeat anyway.

import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { nothingPending } from './pending.ts';
import { type JobState, jobStateVersion } from './state.ts';

export const stateBytesMax = 512 * 1024;

export function encodeState(state: JobState): Uint8Array {
  const { pending: _, ...stored } = state;
  const bytes = new TextEncoder().encode(JSON.stringify(stored));
  if (bytes.length > stateBytesMax) {
    throw new ThawError('Internal', `the job's state takes ${bytes.length} bytes; at most ${stateBytesMax} are stored`);
  }
  return bytes;
}

export function decodeState(bytes: Uint8Array): JobState {
  const stored = JSON.parse(new TextDecoder().decode(bytes)) as Omit<JobState, 'pending'>;
  if (stored.version !== jobStateVersion) {
    throw new ThawError(
      'VersionUnknown',
      `the stored job state has version ${stored.version}; this Thaw knows version ${jobStateVersion}`,
    );
  }
  return { ...stored, pending: nothingPending };
}

/**
 * Whether `b` needs no writing when `a` is stored; states share what did not change. An outbox that only got shorter
 * needs none (a new entry changes eventSequence too): its entries would be said twice, and the event log knows what it
 * holds.
 */
export function sameStored(a: JobState, b: JobState): boolean {
  const keys = Object.keys(a) as (keyof JobState)[];
  return keys.every((key) => key === 'pending' || key === 'outbox' || a[key] === b[key]);
}
