// Which samples of a shard a step takes. A shard's order in an epoch is a permutation drawn for (seed, epoch, shard);
// its samples are spread evenly over the epoch's steps: 15 or 16 a step, never 16, …, 16, 7.

import { keyedStream, permutation } from '../random/stream.ts';

export interface EpochOrderOptions {
  readonly seed: number;
  /** Counts from 0 over the whole job. */
  readonly epoch: number;
  readonly shard: number;
  /** Rows of the training set in this shard. */
  readonly rows: Uint32Array;
}

export function epochOrder({ seed, epoch, shard, rows }: EpochOrderOptions): Uint32Array {
  return permutation(keyedStream(seed, 'order', epoch, shard), rows.length).map((place) => rows[place] as number);
}

/** Rows of one step, a view on `order`. `stepInEpoch` counts from 0. */
export function microBatchRows(options: {
  order: Uint32Array;
  stepInEpoch: number;
  stepsPerEpoch: number;
}): Uint32Array {
  const { order, stepInEpoch, stepsPerEpoch } = options;
  const start = (step: number): number => Math.floor((order.length * step) / stepsPerEpoch);
  return order.subarray(start(stepInEpoch), start(stepInEpoch + 1));
}

/** The augmented version of every training sample that an epoch uses. */
export function viewOf(epoch: number, views: number): number {
  return epoch % views;
}
