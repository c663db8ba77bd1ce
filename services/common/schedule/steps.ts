// How long epochs and stages are, from sizes that belong to the job alone.

import type { ResolvedStage } from '../job/resolved-job.ts';

/** Steps until the largest shard is through. */
export function stepsPerEpoch(shardSizes: readonly number[], microBatch: number): number {
  return Math.ceil(Math.max(...shardSizes) / microBatch);
}

/** Upper bound on a stage's steps: a plateau may end it earlier. */
export function stageStepsMax({ length }: Pick<ResolvedStage, 'length'>, perEpoch: number): number {
  return length.kind === 'steps' ? length.steps : length.epochs * perEpoch;
}
