// What mixing asks of a job: a cut needs height and width where it cuts, and mixed pixels cost the feature cache.

import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { ResolvedJob } from '@thaw/common/job/resolved-job.ts';
import type { Graph } from '@thaw/common/model/graph.ts';
import { boundaryGrids } from '@thaw/common/model/grid.ts';
import type { PreparedStage } from './prepared-job.ts';

/** Throws JobInvalid where a stage's boundary has nothing to cut a box from, or is not known before it runs. */
export function requireCuts({ train }: ResolvedJob, graph: Graph, stages: readonly PreparedStage[]): void {
  if (train.cutmix?.at !== 'boundary') return;
  const ranked = stages.find(({ plan }) => plan.ranked !== undefined);
  if (ranked) {
    throw new ThawError(
      'JobInvalid',
      `spec.train.cutmix.at: found boundary, but where stage "${ranked.stage.name}" trains is measured while the job runs, ` +
        'and it may have no height and width to cut from; expected pixels, or mixup instead',
    );
  }
  const flat = stages.find(({ partition }) => boundaryGrids(graph, partition.boundary).length === 0);
  if (!flat) return;
  throw new ThawError(
    'JobInvalid',
    `spec.train.cutmix.at: found boundary, but stage "${flat.stage.name}" trains on ${flat.partition.boundary.join(', ')}, ` +
      'which has no one height and width to cut from; expected pixels, or mixup instead',
  );
}

export function mixesPixels({ train }: ResolvedJob): boolean {
  return train.mixup?.at === 'pixels' || train.cutmix?.at === 'pixels';
}

export function mixWarnings(job: ResolvedJob): string[] {
  if (!mixesPixels(job)) return [];
  const { mixup, cutmix } = job.train;
  const names = [...(mixup?.at === 'pixels' ? ['mixup'] : []), ...(cutmix?.at === 'pixels' ? ['cutmix'] : [])];
  return [
    `${names.join(' and ')} at pixels turns the feature cache of training off: the frozen part runs again in every step; ` +
      '`at: boundary` mixes its features and keeps them',
  ];
}
