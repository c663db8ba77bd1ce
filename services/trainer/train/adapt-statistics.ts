// `batchNorm: adapt`: one forward pass over the training set measures the statistics of frozen normalisations. Every
// shard runs its own samples, in all views, in even blocks of a fixed order, and all members sum up what they found, so
// the result is the same for any number of trainers. It replaces what the layers held, whatever that was.

import { blockSize } from '@thaw/common/data/block-size.ts';
import { epochOrder } from '@thaw/common/data/epoch-order.ts';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { sumVectors } from '@thaw/proto/frames/announcement.ts';
import type { SampleRef } from '../cache/level.ts';
import type { ShardContribution } from '../collective/collective.ts';
import type { EngineModel, MomentsProgram } from '../engine/engine.ts';
import { pooledMoments, type StatisticsRule, shardStatistics, unsoundStatistics } from './batch-statistics.ts';
import { type EpochWork, hostedShards } from './epoch.ts';
import type { JobContext } from './job-context.ts';

export interface AdaptWork extends EpochWork {
  readonly model: EngineModel;
}

/** Mean and variance of every adapted layer, in the layout's order. The exchange counts as the step before the stage. */
export async function adaptStatistics(work: AdaptWork): Promise<Float64Array> {
  const { directive, collective, link, model, runtime, context } = work;
  const { adapted } = runtime.statistics;
  const rule = adaptRule(context, adapted);
  const program = model.momentsProgram({ statistics: adapted, blockSize });
  const shards = hostedShards(work);
  const step = directive.firstStep - 1;
  const blocks = shards.map((shard) => shardBlocks(work, shard));
  link.board.enter('features', blocks.flat(2).length);
  const contributions: ShardContribution[] = [];
  for (const [i, shard] of shards.entries()) {
    const measured = await measureShard(work, { program, rule, blocks: blocks[i] as SampleRef[][] });
    collective.gradientBuffer(step, shard).fill(0);
    contributions.push({ shard, weight: measured.count, loss: 0, correct: 0, ...measured });
  }
  link.board.enter('exchange');
  const result = await link.interruptible(collective.exchange({ step, acknowledgedPlan: 0, shards: contributions }));
  const place = `stage "${runtime.stage.name}", adapting statistics`;
  const data = { stage: directive.stage, step: directive.firstStep };
  if (result.count === 0) throw new ThawError('TooManyBadSamples', `${place}: no sample could be read`, { data });
  const [unsound] = unsoundStatistics(adapted, result.statistics);
  if (unsound !== undefined) {
    throw new ThawError('NonFinite', `${place}: those of ${unsound} hold NaN or infinity`, { data });
  }
  return pooledMoments(rule, result.statistics, result.count);
}

/**
 * Sums are taken around the source's statistics: they are the same on every member, also on one that comes back from a
 * pass that was cut short.
 */
function adaptRule({ source, manifest, job, shards }: JobContext, layout: StatisticsRule['layout']): StatisticsRule {
  const { views } = job.data;
  const blocks = shards.reduce((sum, { length }) => sum + Math.ceil((length * views) / blockSize), 0);
  return {
    layout,
    reference: source,
    samplesMax: manifest.sets.train.ids.length * views,
    contributionsMax: blocks,
  };
}

/** The shard's samples in all views, in the order of the epoch, dealt evenly: classes are mixed and no block is short. */
function shardBlocks({ context, directive }: EpochWork, shard: number): SampleRef[][] {
  const { job, shards } = context;
  const order = epochOrder({ seed: job.train.seed, epoch: directive.epoch, shard, rows: shards[shard] as Uint32Array });
  const refs = Array.from({ length: job.data.views }, (_, view) =>
    Array.from(order, (index): SampleRef => ({ set: 'train', index, view })),
  ).flat();
  const count = Math.ceil(refs.length / blockSize);
  const start = (block: number): number => Math.floor((block * refs.length) / count);
  return Array.from({ length: count }, (_, block) => refs.slice(start(block), start(block + 1)));
}

async function measureShard(
  { link, revision, runtime }: AdaptWork,
  { program, rule, blocks }: { program: MomentsProgram; rule: StatisticsRule; blocks: readonly SampleRef[][] },
): Promise<{ count: number; statistics: BigInt64Array }> {
  let statistics: BigInt64Array = new BigInt64Array(runtime.statistics.adapted.length);
  let count = 0;
  for (const refs of blocks) {
    const { pixels, present } = await runtime.loadBlock(refs);
    link.check(revision);
    const samples = present.filter(Boolean).length;
    link.board.tick(refs.length);
    if (samples === 0) continue;
    const moments = program.moments(pixels, present);
    statistics = sumVectors([statistics, shardStatistics(rule, moments, samples)]);
    count += samples;
  }
  return { count, statistics };
}
