// A step as the trainer takes it, without its processes: features through the prefix, each shard's gradient alone, its
// integers under the common scale, their sum, and the update.

import { blockSize } from '@thaw/common/data/block-size.ts';
import type { TensorLayout } from '@thaw/common/model/tensor-layout.ts';
import { maximaOf, quantiseRange } from '@thaw/trainer/collective/core/gradient-sum.ts';
import { scaleOf } from '@thaw/trainer/collective/core/scale.ts';
import { writeSum } from '@thaw/trainer/collective/core/vector-kernels.ts';
import type { LossSums, StageProgram } from '@thaw/trainer/engine/engine.ts';
import type { ReducedGradient } from '@thaw/trainer/train/update-rule.ts';

export interface ShardBatch {
  /** [samples, height, width, 3], at most a block and at most the program's micro-batch. */
  readonly pixels: Uint8Array;
  readonly labels: readonly number[];
  readonly sampleIds: readonly string[];
  readonly epoch: number;
}

export interface ShardGradient {
  readonly gradient: Float32Array;
  readonly sums: LossSums;
}

/** Gradient sum of every shard's samples, which together are at most a block. */
export function shardGradients(
  program: StageProgram,
  batches: readonly ShardBatch[],
  microBatch: number,
): readonly ShardGradient[] {
  const { boundaryFloats } = program.partition;
  const pixels = Buffer.concat(batches.map((batch) => batch.pixels));
  const samples = batches.reduce((sum, { labels }) => sum + labels.length, 0);
  const block = new Uint8Array((pixels.length / samples) * blockSize);
  block.set(pixels);
  const features = program.features(block);
  let row = 0;
  return batches.map((batch) => {
    const end = row + batch.labels.length;
    const own = features.subarray(row * boundaryFloats, end * boundaryFloats);
    row = end;
    return shardGradient(program, { batch, features: own, microBatch });
  });
}

/** Rows beyond the samples are padding of weight 0. */
function shardGradient(
  program: StageProgram,
  shard: { readonly batch: ShardBatch; readonly features: Float32Array; readonly microBatch: number },
): ShardGradient {
  const { microBatch } = shard;
  const { labels, sampleIds, epoch } = shard.batch;
  const features = new Float32Array(microBatch * program.partition.boundaryFloats);
  features.set(shard.features);
  const padded = new Int32Array(microBatch);
  padded.set(labels);
  const weights = new Float32Array(microBatch).fill(1, 0, labels.length);
  const gradient = new Float32Array(program.layout.length);
  const sums = program.gradients({ features, labels: padded, weights, sampleIds, epoch }, gradient);
  return { gradient, sums };
}

/** As if every shard were hosted by a member of its own. */
export function reduce(
  layout: TensorLayout,
  gradients: readonly Float32Array[],
  { step, weight }: { readonly step: number; readonly weight: number },
): ReducedGradient {
  const maxima = gradients.map((gradient) => maximaOf(layout, [gradient]));
  const { exponents } = scaleOf(maxima, layout.entries.length, gradients.length);
  const sums = new Int32Array(layout.length);
  for (const gradient of gradients) {
    const part = new Int32Array(layout.length);
    quantiseRange({ layout, exponents, gradients: [gradient], target: part }, 0, layout.length);
    writeSum(sums, 0, sums, part);
  }
  return { step, sums, exponents, weight };
}
