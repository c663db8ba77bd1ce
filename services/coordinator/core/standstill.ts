// The time in which nobody trained, between a stop and a resume, counts for nothing.

import type { JobState } from './state.ts';

/** Durations leave out the time in which nobody trained: what began before the snapshot counts as begun that much later. */
export function withoutPause(state: JobState, now: number): JobState {
  const { at } = state.resumed;
  if (!at) return state;
  const pause = Math.max(0, now - at.stoppedAt);
  const { cursor, stages, startedAt } = state;
  return {
    ...state,
    startedAt: startedAt + pause,
    cursor: { ...cursor, epochStartedAt: cursor.epochStartedAt + pause },
    stages: stages.map((stage) => (stage.endedAt === null ? { ...stage, startedAt: stage.startedAt + pause } : stage)),
  };
}
