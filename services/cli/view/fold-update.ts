// The coordinator's updates folded into the view's state, and the lines that they add to the history. Pure.

import type { JobProgress__Output } from '@thaw/proto/gen/thaw/v1/JobProgress.ts';
import type { JobStatus__Output } from '@thaw/proto/gen/thaw/v1/JobStatus.ts';
import type { JobUpdate__Output } from '@thaw/proto/gen/thaw/v1/JobUpdate.ts';
import { type HistoryEntry, historyOf } from './history.ts';
import { type JobEvent, newEvents } from './job-event.ts';
import type { SeenStage, ViewState } from './view-state.ts';

/** Losses that a sparkline can show at most. */
export const lossesMax = 200;

/** The next state, and the lines that this update adds to the history. */
export function foldUpdate(
  state: ViewState,
  update: JobUpdate__Output,
): { readonly state: ViewState; readonly history: readonly HistoryEntry[] } {
  const history: HistoryEntry[] = [];
  let next = state;
  for (const { event } of newEvents(update.events, state.sequence)) {
    next = { ...foldEvent(next, event), sequence: event.sequence };
    const entry = historyOf(event, next);
    if (entry) history.push(entry);
  }
  return { state: update.status ? foldStatus(next, update.status) : next, history };
}

function foldEvent(state: ViewState, event: JobEvent): ViewState {
  switch (event.kind) {
    case 'jobStarted':
      return { ...state, stagesTotal: event.stages.length };
    case 'jobResumed': {
      const stages = event.stages.map(({ stage: index, ...seen }) => ({ index, ...seen }));
      return { ...state, stages, lastEpoch: event.epoch - 1, stagesTotal: event.stagesTotal };
    }
    case 'stageStarted': {
      const entered: SeenStage = { index: event.stage, name: event.name, firstEpoch: state.lastEpoch + 1, best: null };
      return { ...state, stages: [...state.stages, entered] };
    }
    case 'stageReused': {
      const { stage: index, name, bestEpoch, validation, lastEpoch } = event;
      const best = validation && { epoch: bestEpoch, validation };
      const entered: SeenStage = { index, name, firstEpoch: state.lastEpoch + 1, best };
      return { ...state, stages: [...state.stages, entered], lastEpoch };
    }
    case 'epochTrained':
      return { ...state, trained: event, lastEpoch: event.epoch };
    case 'epochEvaluated': {
      const { epoch, validation, stage } = event;
      if (!event.best) return state;
      const stages = state.stages.map((seen) =>
        seen.index === stage ? { ...seen, best: { epoch, validation } } : seen,
      );
      return { ...state, stages };
    }
    case 'badSamples':
      return { ...state, badSamples: state.badSamples + event.samples.length + (event.more ?? 0) };
    default:
      return state;
  }
}

function foldStatus(state: ViewState, status: JobStatus__Output): ViewState {
  const { progress } = status;
  const isNew = status.state === 'Training' && progress !== null && progress.step > state.lossStep && isLoss(progress);
  if (!isNew) return { ...state, status };
  const losses = [...state.losses, progress.loss].slice(-lossesMax);
  return { ...state, status, losses, lossStep: progress.step };
}

function isLoss({ loss }: JobProgress__Output): boolean {
  return Number.isFinite(loss) && loss > 0;
}
