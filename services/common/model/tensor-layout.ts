// How a set of named tensors lies in one flat float32 (or int32) vector: in byte order of the names, no padding.
// Gradients, optimizer slots, wire parts and snapshots of one stage all share one layout.

import type { WeightSpec } from './graph.ts';

export interface TensorLayout {
  readonly entries: readonly LayoutEntry[];
  /** Elements in the whole vector. */
  readonly length: number;
}

export interface LayoutEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly length: number;
}

export function tensorLayout(specs: readonly Pick<WeightSpec, 'name' | 'shape'>[]): TensorLayout {
  const sorted = [...specs].sort((a, b) => compareNames(a.name, b.name));
  const entries: LayoutEntry[] = [];
  let offset = 0;
  for (const { name, shape } of sorted) {
    const length = shape.reduce((product, size) => product * size, 1);
    entries.push({ name, shape, offset, length });
    offset += length;
  }
  return { entries, length: offset };
}

/** Orders by UTF-8 bytes, the same on every machine and locale. */
export function compareNames(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
