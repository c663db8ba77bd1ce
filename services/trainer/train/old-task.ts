// Measures what is left of the old task: the source's own classifier, as it was, on the backbone as it is now. Never
// trains; its program only lies where the stage's does, so that what the stage leaves frozen is computed once a sample.

import { blockSize } from '@thaw/common/data/block-size.ts';
import { invariant } from '@thaw/common/errors/thaw-error.ts';
import type { ResolvedStage } from '@thaw/common/job/resolved-job.ts';
import type { Graph } from '@thaw/common/model/graph.ts';
import { oldTaskClasses, oldTaskLoss, oldTaskSuffix } from '@thaw/common/model/old-task.ts';
import type { FeatureSource } from '../cache/feature-source.ts';
import type { EngineModel, StageProgram } from '../engine/engine.ts';
import type { JobContext } from './job-context.ts';
import type { StageRuntime } from './stage-runtime.ts';

export interface OldTaskProgram {
  readonly program: StageProgram;
  readonly features: FeatureSource;
}

interface Opening {
  readonly stage: Pick<ResolvedStage, 'microBatch'>;
  /** Weights that the stage trains, and statistics that move in it. */
  readonly changing: readonly string[];
}

/** Keeps frozen weights as they are now, like the stage's own program: open and dispose it with that one. */
export function openOldTask(
  { model, context }: { readonly model: EngineModel; readonly context: JobContext },
  graph: Graph,
  { stage, changing }: Opening,
): StageProgram {
  return model.onGraph(graph).stageProgram({
    trainable: oldTaskSuffix(graph, context.graph, changing),
    seed: context.job.train.seed,
    blockSize,
    microBatch: stage.microBatch,
    classes: oldTaskClasses(graph),
    loss: oldTaskLoss(graph),
  });
}

/** What an evaluation of the old task works with. */
export function oldTaskOf(
  { oldTask }: StageRuntime,
  { oldGraph }: JobContext,
): OldTaskProgram & { readonly classes: number } {
  invariant(oldTask !== null && oldGraph !== undefined, 'only a job with retention measures the old task');
  return { ...oldTask, classes: oldTaskClasses(oldGraph) };
}
