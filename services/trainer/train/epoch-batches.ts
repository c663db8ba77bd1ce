// The micro-batches of an epoch on one member: which samples a hosted shard gives to a step, with their features, classes
// and weights, mixed where the job mixes. A micro-batch depends on the job, the step and the shard alone.

import { blockSize } from '@thaw/common/data/block-size.ts';
import { epochOrder, microBatchRows, viewOf } from '@thaw/common/data/epoch-order.ts';
import type { Train__Output } from '@thaw/proto/gen/thaw/v1/Train.ts';
import type { SampleRef } from '../cache/level.ts';
import type { MicroBatch } from '../engine/engine.ts';
import type { JobContext } from './job-context.ts';
import { type Mix, mixOf, mixRows, partnersOf } from './mix.ts';
import { type MixedRows, mixedPixels } from './mixed-pixels.ts';
import type { StageRuntime } from './stage-runtime.ts';

export interface EpochBatches {
  /** Samples of a step that read their features from the cache: all but those of micro-batches with mixed pixels. */
  cached(step: number): SampleRef[];
  /** Cached features have to be prepared. `count`: samples that are there. */
  make(step: number, shard: number): Promise<{ readonly batch: MicroBatch; readonly count: number }>;
}

export interface EpochBatchesOptions {
  readonly directive: Train__Output;
  readonly context: JobContext;
  readonly runtime: StageRuntime;
}

export function epochBatches(options: EpochBatchesOptions, shards: readonly number[]): EpochBatches {
  const { directive, context, runtime } = options;
  const { train } = context.job;
  const refsOf = new Map(shards.map((shard) => [shard, shardRefs(options, shard)]));
  const refsAt = (step: number, shard: number): SampleRef[] =>
    refsOf.get(shard)?.(step - directive.epochFirstStep) ?? [];
  const pixels = mixedPixels({
    program: runtime.program,
    loadBlock: runtime.loadBlock,
    blockSize,
    grid: runtime.grids.picture,
  });

  /** Of the micro-batch after this one, when its pixels are mixed. */
  const upcoming = (step: number, shard: number): SampleRef[] => {
    const at = shards.indexOf(shard) + 1;
    const next = at < shards.length ? { step, shard: shards[at] as number } : { step: step + 1, shard: shards[0] ?? 0 };
    return next.step <= directive.lastStep && mixOf(train, next)?.at === 'pixels' ? refsAt(next.step, next.shard) : [];
  };

  const rowsOf = async (step: number, shard: number, mix: Mix | null): Promise<MixedRows> => {
    const place = { step, shard };
    const refs = refsAt(step, shard);
    const rows = runtime.stage.microBatch;
    const drawPartners = (present: readonly boolean[]): Int32Array => partnersOf(train, place, present);
    if (mix?.at === 'pixels') {
      return pixels.rows(refs, { mix, partnersOf: drawPartners, rows, upcoming: upcoming(step, shard) });
    }
    const { features, present } = runtime.features.rows(refs, rows);
    if (!mix) return { features, present, partners: Int32Array.from(refs.keys()), share: 1 };
    const partners = drawPartners(present);
    const share = mixRows(features, features.length / rows, { mix, partners, grids: runtime.grids.boundary });
    return { features, present, partners, share };
  };

  return {
    cached: (step) =>
      shards.flatMap((shard) => (mixOf(train, { step, shard })?.at === 'pixels' ? [] : refsAt(step, shard))),
    async make(step, shard) {
      const mix = mixOf(train, { step, shard });
      const rows = await rowsOf(step, shard, mix);
      const count = rows.present.filter(Boolean).length;
      return { batch: composed(options, refsAt(step, shard), { ...rows, isMixed: mix !== null }), count };
    },
  };
}

/** Refs of one shard's micro-batch by step within the epoch. */
function shardRefs({ context, directive, runtime }: EpochBatchesOptions, shard: number) {
  const { job, shards } = context;
  const rows = shards[shard] as Uint32Array;
  const order = epochOrder({ seed: job.train.seed, epoch: directive.epoch, shard, rows });
  const view = viewOf(directive.epoch, job.data.views);
  return (stepInEpoch: number): SampleRef[] => {
    const taken = microBatchRows({ order, stepInEpoch, stepsPerEpoch: runtime.stepsPerEpoch });
    return Array.from(taken, (index) => ({ set: 'train', index, view }));
  };
}

/** A mixed sample weighs as its parts do: its classes' weights, each by its share. */
function composed(
  { context, runtime, directive }: EpochBatchesOptions,
  refs: readonly SampleRef[],
  { features, present, partners, share, isMixed }: MixedRows & { readonly isMixed: boolean },
): MicroBatch {
  const { microBatch } = runtime.stage;
  const { train } = context.manifest.sets;
  const { classWeights } = context.job.train;
  const labels = new Int32Array(microBatch);
  for (const [row, { index }] of refs.entries()) labels[row] = train.labels[index] as number;
  const others = labels.slice();
  for (const [row, partner] of partners.entries()) others[row] = labels[partner] as number;
  const weightOf = (label: number | undefined): number => classWeights?.[label ?? 0] ?? 1;
  const weights = Float32Array.from(labels, (label, row) => {
    if (!present[row]) return 0;
    return isMixed ? share * weightOf(label) + (1 - share) * weightOf(others[row]) : weightOf(label);
  });
  return {
    features,
    labels,
    weights,
    sampleIds: refs.map(({ index }) => train.ids[index] as string),
    epoch: directive.epoch,
    ...(isMixed && { mixed: { labels: others, share } }),
  };
}
