// An ordered end: what was trained since the newest snapshot is stored first, then the job ends as cancelled, and can be
// taken up again. Whether there is anything to store, only the members know: while they train they are asked for a
// snapshot, and when all of them say that they stand where the newest one was taken, nothing is left to wait for. Asked a
// second time, it ends at once.

import type { CoreEvent, Decision } from './events.ts';
import { cancel } from './failing.ts';
import { openSnapshotPlan } from './snapshots.ts';
import { isTerminal, type JobState } from './state.ts';

export function onStop(
  state: JobState,
  now: number,
  { reason }: Extract<CoreEvent, { readonly kind: 'stop' }>,
): Decision {
  const isStored = !isTraining(state) && state.cursor.step <= newestStep(state);
  if (isStored || state.stopping !== null || state.generation === null) return cancel(state, now, reason);
  const stopping: JobState = { ...state, stopping: reason, reason: 'storing a snapshot before the end' };
  return openSnapshotPlan(stopping);
}

export function onStanding(state: JobState, now: number, step: number): Decision {
  const { stopping } = state;
  const isOver = stopping !== null && isTraining(state) && step <= newestStep(state);
  return isOver && !isTerminal(state) ? cancel(state, now, stopping) : { state, effects: [] };
}

function isTraining({ directive }: JobState): boolean {
  return directive?.work.kind === 'train';
}

function newestStep({ restorePoints }: JobState): number {
  return restorePoints[0]?.step ?? 0;
}
