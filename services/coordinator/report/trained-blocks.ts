// What stages trained, as it is shown: the patterns of the job, with the measured blocks in the place of `ranked(n)`, and
// how many of them are in the result.

import type { ResolvedJob } from '@thaw/common/job/resolved-job.ts';
import { withRanked } from '@thaw/common/model/ranked.ts';
import type { Report } from './build-report.ts';

/** Without those that were undone: nothing of them is in the result. */
export function stagesInResult({ stages }: Pick<Report, 'stages'>): number {
  return stages.filter(({ rolledBack }) => rolledBack === undefined).length;
}

export function shownSelection(
  job: ResolvedJob,
  { ranking }: Pick<Report, 'ranking'>,
  index: number,
): readonly string[] {
  const stage = job.stages[index];
  if (!stage) return [];
  return ranking
    ? withRanked(
        stage,
        ranking.blocks.map(({ block }) => block),
      ).select
    : stage.select;
}
