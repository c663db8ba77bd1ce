// Float gradients become integers that may be added in any order (protocol section 3). The exponent of a tensor follows
// from the largest magnitude over all single shards, so no sum can overflow and no grouping of shards can change it.

import { nonFiniteBits } from '@thaw/proto/frames/announcement.ts';

/** Exponents above this would make 2^e x 2^-e leave the range where both are normal. */
const exponentMax = 125;

/** The least m with M < 2^m, for the bits of a finite float32 magnitude above zero. */
export function magnitudeExponent(bits: number): number {
  const biased = bits >>> 23;
  if (biased > 0) return biased - 126;
  return 32 - Math.clz32(bits) - 149;
}

/** e of protocol section 3: |g| x 2^e <= 2^(30-h), h = ceil(log2 shards). Zero magnitude has exponent 0. */
export function scaleExponent(bits: number, shards: number): number {
  if (bits === 0) return 0;
  const headroom = shards > 1 ? 32 - Math.clz32(shards - 1) : 0;
  return Math.min(exponentMax, 30 - magnitudeExponent(bits) - headroom);
}

export interface Scale {
  /** Per tensor; meaningless where nonFinite is not empty. */
  readonly exponents: Int32Array;
  /** Indices of tensors with NaN or infinity on any member. */
  readonly nonFinite: readonly number[];
}

/** From the maxima of every member, in any order. */
export function scaleOf(maxima: readonly Uint32Array[], tensors: number, shards: number): Scale {
  const exponents = new Int32Array(tensors);
  const nonFinite: number[] = [];
  for (let tensor = 0; tensor < tensors; tensor++) {
    let largest = 0;
    for (const ofMember of maxima) largest = Math.max(largest, ofMember[tensor] ?? 0);
    if (largest >= nonFiniteBits) nonFinite.push(tensor);
    else exponents[tensor] = scaleExponent(largest, shards);
  }
  return { exponents, nonFinite };
}
