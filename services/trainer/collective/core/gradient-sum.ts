// The compute thread's share of an exchange: the magnitudes of the hosted shards, then their quantised sum, range by
// range, so that a chunk can leave while the next one is made.

import type { TensorLayout } from '@thaw/common/model/tensor-layout.ts';
import { dequantiseRange, largestMagnitude, quantiseSum } from './vector-kernels.ts';

/** Per tensor, the bits of the largest |g| over the single shards. */
export function maximaOf(layout: TensorLayout, gradients: readonly Float32Array[]): Uint32Array {
  const maxima = new Uint32Array(layout.entries.length);
  for (const gradient of gradients) {
    for (const [tensor, { offset, length }] of layout.entries.entries()) {
      maxima[tensor] = Math.max(maxima[tensor] as number, largestMagnitude(gradient, offset, offset + length));
    }
  }
  return maxima;
}

export interface GradientSum {
  readonly layout: TensorLayout;
  readonly exponents: Int32Array;
  /** One per hosted shard; none gives zeros. */
  readonly gradients: readonly Float32Array[];
  readonly target: Int32Array;
}

/** Fills target[start, end) with the sum of the shards' integers. */
export function quantiseRange(sum: GradientSum, start: number, end: number): void {
  const { layout, exponents, gradients, target } = sum;
  if (gradients.length === 0) {
    target.fill(0, start, end);
    return;
  }
  for (let tensor = firstTensorAt(layout, start); tensor < layout.entries.length; tensor++) {
    const entry = layout.entries[tensor];
    if (!entry || entry.offset >= end) break;
    quantiseSum(target, gradients, {
      start: Math.max(start, entry.offset),
      end: Math.min(end, entry.offset + entry.length),
      exponent: exponents[tensor] as number,
    });
  }
}

/** Index of the first tensor that reaches beyond the element. */
function firstTensorAt({ entries }: TensorLayout, element: number): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const entry = entries[middle];
    if (entry && entry.offset + entry.length <= element) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** gradient = sum x 2^-exponent as float32, in layout order, for those who want floats before any update rule. */
export function dequantise(layout: TensorLayout, exponents: Int32Array, sums: Int32Array, target: Float32Array): void {
  for (const [tensor, { offset, length }] of layout.entries.entries()) {
    dequantiseRange(target, sums, { start: offset, end: offset + length, exponent: exponents[tensor] as number });
  }
}
