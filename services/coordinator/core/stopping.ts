// An ordered end: what was trained since the newest snapshot is stored first, then the job ends as cancelled, and can be
// taken up again. Training is halted for it as for a change of members, so nothing is trained any more that the snapshot
// does not hold. Asked a second time, the job ends at once.

import type { Digest } from '@thaw/common/content/digest.ts';
import type { EpochSums__Output } from '@thaw/proto/gen/thaw/v1/EpochSums.ts';
import type { CoreEvent, Decision } from './events.ts';
import { cancel } from './failing.ts';
import { type Snapshot, scheduleOf } from './snapshot.ts';
import type { JobState, TrainWork } from './state.ts';

/** The rest follows from `stopping`: whatever is trained is halted. */
export function onStop(
  state: JobState,
  now: number,
  { reason }: Extract<CoreEvent, { readonly kind: 'stop' }>,
): Decision {
  const isNothingLeft = state.directive === null || (!isTraining(state) && state.cursor.step <= newestStep(state));
  if (isNothingLeft || state.stopping !== null) return cancel(state, now, reason);
  return { state: { ...state, stopping: reason, reason: 'storing a snapshot before the end' }, effects: [] };
}

/**
 * Training stands still after `step`: whether there is something to store, or nothing is left to wait for. Answers to a
 * snapshot of this step prove nothing: whoever was halted a step behind gives none.
 */
export function isStoredUpTo(state: JobState, step: number): 'stored' | 'being stored' | null {
  if (step <= newestStep(state)) return 'stored';
  return state.pending.writing.some((snapshot) => snapshot.step === step) ? 'being stored' : null;
}

/** The state that a member has stored, where all of them stand, as a snapshot. */
export function snapshotOfHalt(
  state: JobState,
  now: number,
  { train, stored }: { readonly train: TrainWork; readonly stored: Snapshot['state'] },
): Decision {
  const { jobDigest } = state.plan;
  const sums = train.soFar ?? noSums;
  const step = train.firstStep - 1;
  const snapshot: Snapshot = {
    ...{ jobDigest, state: { ...stored, digest: stored.digest as Digest }, step, sums },
    ...{ schedule: scheduleOf(state), pauseSeconds: 0, at: now },
  };
  const pending = { ...state.pending, writing: [...state.pending.writing, snapshot] };
  return { state: { ...state, pending }, effects: [{ kind: 'keepSnapshot', snapshot }] };
}

const noSums: EpochSums__Output = {
  lossSum: 0,
  penaltySum: 0,
  count: 0,
  correct: 0,
  stepsSkipped: 0,
  learningRate: 0,
};

function isTraining({ directive }: JobState): boolean {
  return directive !== null && 'train' in directive.work;
}

function newestStep({ restorePoints }: JobState): number {
  return restorePoints[0]?.step ?? 0;
}
