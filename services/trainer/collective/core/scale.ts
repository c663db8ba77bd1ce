// Float gradients become integers that may be added in any order (protocol section 3). The exponent of a tensor follows
// from the largest magnitude over all single shards, so no sum can overflow and no grouping of shards can change it.

import { nonFiniteBits } from '@thaw/proto/frames/announcement.ts';

/** Exponents above this would make 2^e x 2^-e leave the range where both are normal. */
const exponentMax = 125;
/** Added and subtracted, it rounds a float64 below 2^51 to the nearest integer, half to even. */
const roundingConstant = 1.5 * 2 ** 52;

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

/** Bits of the largest |g| in [start, end), NaN and infinity included, over the gradient's int32 view. */
export function largestMagnitude(bits: Int32Array, start: number, end: number): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  let i = start;
  for (; i + 3 < end; i += 4) {
    a = Math.max(a, (bits[i] as number) & 0x7fffffff);
    b = Math.max(b, (bits[i + 1] as number) & 0x7fffffff);
    c = Math.max(c, (bits[i + 2] as number) & 0x7fffffff);
    d = Math.max(d, (bits[i + 3] as number) & 0x7fffffff);
  }
  for (; i < end; i++) a = Math.max(a, (bits[i] as number) & 0x7fffffff);
  return Math.max(a, b, c, d);
}

/** target = roundHalfEven(gradient x 2^exponent) in [start, end). */
export function quantise(target: Int32Array, gradient: Float32Array, range: QuantiseRange): void {
  const { start, end } = range;
  const factor = 2 ** range.exponent;
  const round = roundingConstant;
  let i = start;
  for (; i + 3 < end; i += 4) {
    target[i] = ((gradient[i] as number) * factor + round - round) | 0;
    target[i + 1] = ((gradient[i + 1] as number) * factor + round - round) | 0;
    target[i + 2] = ((gradient[i + 2] as number) * factor + round - round) | 0;
    target[i + 3] = ((gradient[i + 3] as number) * factor + round - round) | 0;
  }
  for (; i < end; i++) target[i] = ((gradient[i] as number) * factor + round - round) | 0;
}

/** target += roundHalfEven(gradient x 2^exponent) in [start, end): a further shard of the same member. */
export function quantiseAdd(target: Int32Array, gradient: Float32Array, range: QuantiseRange): void {
  const { start, end } = range;
  const factor = 2 ** range.exponent;
  const round = roundingConstant;
  let i = start;
  for (; i + 3 < end; i += 4) {
    target[i] = ((target[i] as number) + ((gradient[i] as number) * factor + round - round)) | 0;
    target[i + 1] = ((target[i + 1] as number) + ((gradient[i + 1] as number) * factor + round - round)) | 0;
    target[i + 2] = ((target[i + 2] as number) + ((gradient[i + 2] as number) * factor + round - round)) | 0;
    target[i + 3] = ((target[i + 3] as number) + ((gradient[i + 3] as number) * factor + round - round)) | 0;
  }
  for (; i < end; i++) {
    target[i] = ((target[i] as number) + ((gradient[i] as number) * factor + round - round)) | 0;
  }
}

export interface QuantiseRange {
  readonly start: number;
  readonly end: number;
  readonly exponent: number;
}

/** target[at ...] += addend, wrapping as int32 does; the scale keeps every partial sum in range. */
export function addInto(target: Int32Array, at: number, addend: Int32Array): void {
  const { length } = addend;
  const to = target.subarray(at, at + length);
  let i = 0;
  for (; i + 3 < length; i += 4) {
    to[i] = ((to[i] as number) + (addend[i] as number)) | 0;
    to[i + 1] = ((to[i + 1] as number) + (addend[i + 1] as number)) | 0;
    to[i + 2] = ((to[i + 2] as number) + (addend[i + 2] as number)) | 0;
    to[i + 3] = ((to[i + 3] as number) + (addend[i + 3] as number)) | 0;
  }
  for (; i < length; i++) to[i] = ((to[i] as number) + (addend[i] as number)) | 0;
}
