// Proves, before a trainer may join, that its engine computes this job's bits: decoding, the prefix, gradients and
// evaluation on fixed samples at the source weights (never the current state), everything twice. Trainers work
// together only when their digests are equal.

import { createHash } from 'node:crypto';
import { blockSize } from '@thaw/common/data/block-size.ts';
import { epochOrder } from '@thaw/common/data/epoch-order.ts';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { PixelBlock } from '../cache/feature-source.ts';
import type { SampleRef } from '../cache/feature-store.ts';
import type { EngineModel, MicroBatch, StageProgram } from '../engine/engine.ts';
import type { JobContext } from './job-context.ts';

export interface ProbeOptions {
  readonly model: EngineModel;
  readonly context: JobContext;
  /** Every tensor that any stage trains. */
  readonly trainable: readonly string[];
  readonly loadBlock: (refs: readonly SampleRef[]) => Promise<PixelBlock>;
}

/** Hex sha256 over every result, tensors in layout order. Throws EngineUnavailable when two runs differ. */
export async function runProbe(options: ProbeOptions): Promise<string> {
  const { model, context } = options;
  const { job, manifest } = context;
  const microBatch = job.stages[0]?.microBatch ?? job.train.microBatch;
  const program = model.stageProgram({
    trainable: options.trainable,
    seed: job.train.seed,
    blockSize,
    microBatch,
    classes: manifest.classes.length,
  });
  try {
    const refs = probeSamples(context);
    const { pixels } = await options.loadBlock(refs);
    const hash = createHash('sha256').update(pixels);
    hash.update(probeFeatures(program, pixels));
    const features = program.features(pixels);
    for (const count of [microBatch, microBatch - 1]) {
      hash.update(probeGradients(program, microBatchOfProbe(options, refs, features, { microBatch, count })));
    }
    hash.update(asBytes(twice('an evaluation batch', () => program.probabilities(features))));
    return hash.digest('hex');
  } finally {
    program.dispose();
  }
}

/** The first samples of shard 0 in the order of epoch 0; a small shard repeats. */
function probeSamples({ job, shards }: JobContext): SampleRef[] {
  const rows = shards[0] as Uint32Array;
  const order = epochOrder({ seed: job.train.seed, epoch: 0, shard: 0, rows });
  return Array.from({ length: blockSize }, (_, i) => ({
    set: 'train',
    index: order[i % order.length] as number,
    view: 0,
  }));
}

/** A sample's features may not depend on its place in the block or on its neighbours. */
function probeFeatures(program: StageProgram, pixels: Uint8Array): Uint8Array {
  const features = twice('a prefix block', () => program.features(pixels));
  const imageBytes = pixels.length / blockSize;
  const floats = features.length / blockSize;
  const moved = new Uint8Array(pixels.length);
  for (let row = 0; row < blockSize / 2; row++) {
    moved.set(pixels.subarray(row * imageBytes, (row + 1) * imageBytes), (blockSize - 1 - row) * imageBytes);
  }
  const movedFeatures = program.features(moved);
  for (let row = 0; row < blockSize / 2; row++) {
    const at = blockSize - 1 - row;
    const here = asBytes(features.slice(row * floats, (row + 1) * floats));
    const there = asBytes(movedFeatures.slice(at * floats, (at + 1) * floats));
    if (Buffer.compare(here, there) !== 0) {
      throw unstable("a sample's features depend on its place in the block, or on its neighbours");
    }
  }
  return asBytes(features);
}

function probeGradients(program: StageProgram, batch: MicroBatch): Uint8Array {
  const gradient = twice('a gradient', () => {
    const values = new Float32Array(program.layout.length);
    program.gradients(batch, values);
    return values;
  });
  return asBytes(gradient);
}

function microBatchOfProbe(
  { context }: ProbeOptions,
  refs: readonly SampleRef[],
  features: Float32Array,
  { microBatch, count }: { microBatch: number; count: number },
): MicroBatch {
  const floats = features.length / blockSize;
  const { ids, labels } = context.manifest.sets.train;
  const rows = Array.from({ length: microBatch }, (_, i) => i % blockSize);
  const batch = new Float32Array(microBatch * floats);
  for (const [i, row] of rows.entries()) batch.set(features.subarray(row * floats, (row + 1) * floats), i * floats);
  const present = rows.slice(0, Math.max(1, count));
  return {
    features: batch,
    labels: Int32Array.from(rows, (row) => labels[refs[row]?.index ?? 0] as number),
    weights: Float32Array.from(rows, (_, i) => (i < present.length ? 1 : 0)),
    sampleIds: present.map((row) => ids[refs[row]?.index ?? 0] as string),
    epoch: 0,
  };
}

function twice(what: string, compute: () => Float32Array): Float32Array {
  const first = compute();
  if (Buffer.compare(asBytes(first), asBytes(compute())) !== 0) throw unstable(`${what} differs between two runs`);
  return first;
}

function unstable(what: string): ThawError {
  return new ThawError(
    'EngineUnavailable',
    `the engine does not give the same bits for the same input (${what}), so results could not be reproduced; ` +
      'use one engine thread (trainers.threads: 1) or another engine',
  );
}

function asBytes(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
