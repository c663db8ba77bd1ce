// Proves, before a trainer may join, that its engine computes this job's bits: decoding, the prefix up to every boundary,
// and for every network that a stage trains gradients and evaluation, on fixed samples at the source weights (never the
// current state), everything twice. Trainers work together only when their digests are equal.

import { createHash } from 'node:crypto';
import { blockSize } from '@thaw/common/data/block-size.ts';
import { epochOrder } from '@thaw/common/data/epoch-order.ts';
import type { ResolvedStage } from '@thaw/common/job/resolved-job.ts';
import { type StageStatistics, stageStatistics } from '@thaw/common/model/batch-statistics.ts';
import { stageCuts } from '@thaw/common/model/feature-levels.ts';
import { withEveryBlock } from '@thaw/common/model/ranked.ts';
import { selectTrainable } from '@thaw/common/model/select.ts';
import type { SampleRef } from '../cache/level.ts';
import type { PixelBlock } from '../cache/pixel-level.ts';
import type { EngineModel, MicroBatch, StageProgram } from '../engine/engine.ts';
import type { JobContext } from './job-context.ts';
import { prefixFeatures } from './probe-prefix.ts';
import { asBytes, twice } from './same-bits.ts';

export interface ProbeOptions {
  readonly model: EngineModel;
  readonly context: JobContext;
  readonly loadBlock: (refs: readonly SampleRef[]) => Promise<PixelBlock>;
  /** Called after each block, which may take a minute on a slow machine. */
  readonly tick: () => void;
}

/** Hex sha256 each: over the decoded block and the results of a program, tensors in layout order. */
export interface Probe {
  /** Over those of all stages: what trainers must have in common. */
  readonly digest: string;
  /** Of each stage's program: what its result depends on, whatever the other stages are. */
  readonly stageDigests: readonly string[];
}

/** Throws EngineUnavailable when two runs differ, or features depend on place or neighbours. */
export async function runProbe({ model, context, loadBlock, tick }: ProbeOptions): Promise<Probe> {
  const { graph, job, manifest } = context;
  const refs = probeSamples(context);
  const { pixels } = await loadBlock(refs);
  tick();
  // Blocks that are not ranked yet are proved all at once, as they are measured.
  const stages = job.stages.map((stage) => withEveryBlock(stage, graph));
  const partitions = stageCuts(graph, stages).map(({ partition }) => partition);
  const featuresOf = prefixFeatures({ model, partitions, pixels, tick });
  const digests = new Map<string, string>();
  const shapes = stages.map((stage) => shapeOf(context, stage));
  for (const { name, trainable, microBatch, statistics } of shapes) {
    if (digests.has(name)) continue;
    const hash = createHash('sha256').update(pixels);
    if (statistics.adapted.length > 0) hash.update(measuredBlock(model, statistics.adapted, pixels));
    const classes = manifest.classes.length;
    const { seed, loss } = job.train;
    const program = model.stageProgram({
      trainable,
      seed,
      blockSize,
      microBatch,
      classes,
      loss,
      statistics: statistics.moved,
    });
    try {
      const features = featuresOf(program);
      hash.update(asBytes(features));
      for (const count of new Set([microBatch, Math.max(1, microBatch - 1)])) {
        hash.update(asBytes(stableGradient(program, batchOfProbe(context, refs, features, { microBatch, count }))));
      }
      hash.update(asBytes(stableEvaluation(program, features, labelsOf(context, refs))));
    } finally {
      program.dispose();
    }
    digests.set(name, hash.digest('hex'));
  }
  const digest = createHash('sha256')
    .update(JSON.stringify([...digests.values()]))
    .digest('hex');
  return { digest, stageDigests: shapes.map(({ name }) => digests.get(name) as string) };
}

interface StageShape {
  /** Stages with the same name open the same program. */
  readonly name: string;
  readonly trainable: readonly string[];
  readonly microBatch: number;
  readonly statistics: StageStatistics;
}

/** Each trainable set decides a prefix of its own, each micro-batch a batch shape, and statistics normalise otherwise. */
function shapeOf({ graph }: JobContext, stage: ResolvedStage): StageShape {
  const { microBatch } = stage;
  const trainable = selectTrainable(graph, stage.select).tensors.map(({ name }) => name);
  const statistics = stageStatistics(graph, stage);
  const measured = [statistics.moved, statistics.adapted].map(({ entries }) => entries.map(({ path }) => path));
  const name = JSON.stringify([microBatch, [...trainable].sort(), ...measured]);
  return { name, trainable, microBatch, statistics };
}

/** What a stage that adapts statistics measures on one block. */
function measuredBlock(model: EngineModel, statistics: StageStatistics['adapted'], pixels: Uint8Array): Uint8Array {
  const program = model.momentsProgram({ statistics, blockSize });
  const present = Array.from({ length: blockSize }, () => true);
  return asBytes(twice('batch statistics', () => program.moments(pixels, present)));
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

function stableGradient(program: StageProgram, batch: MicroBatch): Float32Array {
  return twice(`a gradient of ${batch.sampleIds.length} samples`, () => {
    const gradient = new Float32Array(program.layout.length);
    const { moments } = program.gradients(batch, gradient);
    const values = new Float32Array(gradient.length + moments.length);
    values.set(gradient);
    values.set(moments, gradient.length);
    return values;
  });
}

function stableEvaluation(program: StageProgram, features: Float32Array, labels: Int32Array): Float32Array {
  return twice('an evaluation batch', () => {
    const { probabilities, losses } = program.evaluate(features, labels);
    const both = new Float32Array(probabilities.length + losses.length);
    both.set(probabilities);
    both.set(losses, probabilities.length);
    return both;
  });
}

function labelsOf({ manifest }: JobContext, refs: readonly SampleRef[]): Int32Array {
  return Int32Array.from(refs, ({ index }) => manifest.sets.train.labels[index] as number);
}

function batchOfProbe(
  { manifest }: JobContext,
  refs: readonly SampleRef[],
  features: Float32Array,
  { microBatch, count }: { microBatch: number; count: number },
): MicroBatch {
  const floats = features.length / blockSize;
  const { ids, labels } = manifest.sets.train;
  const rows = Array.from({ length: microBatch }, (_, i) => i % blockSize);
  const batch = new Float32Array(microBatch * floats);
  for (const [i, row] of rows.entries()) batch.set(features.subarray(row * floats, (row + 1) * floats), i * floats);
  const present = rows.slice(0, count);
  return {
    features: batch,
    labels: Int32Array.from(rows, (row) => labels[refs[row]?.index ?? 0] as number),
    weights: Float32Array.from(rows, (_, i) => (i < present.length ? 1 : 0)),
    sampleIds: present.map((row) => ids[refs[row]?.index ?? 0] as string),
    epoch: 0,
  };
}
