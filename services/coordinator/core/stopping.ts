// An ordered end: what was trained since the newest snapshot is stored first, then the job ends as cancelled, and can be
// taken up again. Asked a second time, or when there is nothing to store, it ends at once.

import type { CoreEvent, Decision } from './events.ts';
import { cancel } from './failing.ts';
import { openSnapshotPlan } from './snapshots.ts';
import type { JobState } from './state.ts';

export function onStop(
  state: JobState,
  now: number,
  { reason, isStepping }: Extract<CoreEvent, { readonly kind: 'stop' }>,
): Decision {
  const isTraining = state.directive?.work.kind === 'train' && isStepping;
  const isStored = !isTraining && state.cursor.step <= (state.restorePoints[0]?.step ?? 0);
  if (isStored || state.stopping !== null || state.generation === null) return cancel(state, now, reason);
  const stopping: JobState = { ...state, stopping: reason, reason: 'storing a snapshot before the end' };
  return openSnapshotPlan(stopping);
}
