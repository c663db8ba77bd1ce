// Weights that anybody may have written: one that is no number would make every feature none.

import { ThawError } from '../errors/thaw-error.ts';

/** `what` names file and tensor. Throws ModelInvalid. A plain loop: models have hundreds of millions of weights. */
export function requireFinite(data: Float32Array, what: string): void {
  for (let i = 0; i < data.length; i++) {
    if (Number.isFinite(data[i])) continue;
    throw new ThawError('ModelInvalid', `${what}: found ${data[i]} at element ${i}; expected finite weights`);
  }
}
