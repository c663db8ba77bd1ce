// A finished stage, as it is kept for other jobs: what it found, and where its states are. Enough to go on after it as if
// it had just been trained.

import type { Digest } from '@thaw/common/content/digest.ts';
import { invariant } from '@thaw/common/errors/thaw-error.ts';
import type { Effect } from './events.ts';
import { lastStanding } from './standing.ts';
import { currentStage, type JobState, type StageRecord, type StoredState } from './state.ts';

export interface StageResult {
  readonly key: Digest;
  /** Which job has trained it. */
  readonly job: { readonly name: string; readonly uid: string };
  readonly stageName: string;
  readonly record: StageRecord;
  /** The state at the stage's end, of one that was undone what it began with; that of its best epoch is in the record. */
  readonly held: StoredState;
}

/** Digests of the states that a result is of no use without. */
export function statesOf({ held, record }: StageResult): Digest[] {
  const best = record.best?.stored?.digest ?? held.digest;
  return best === held.digest ? [best] : [held.digest, best];
}

/** Digests of the states that a job needs that goes on after these results, at least one. */
export function statesAfter(results: readonly StageResult[]): Digest[] {
  const last = results.at(-1);
  const best = lastStanding(results.map(({ record }) => record))?.best?.stored;
  return [...new Set([last?.held, best].flatMap((stored) => stored?.digest ?? []))];
}

/** Of the stage that has just ended, or after which blocks have just been ranked. */
export function keepStage(state: JobState): Effect {
  const { plan, uid, held } = state;
  const record = currentStage(state);
  invariant(record.endedAt !== null && held !== null, 'a stage has ended and its last state is stored');
  const stageName = plan.stages[record.stage]?.name ?? '';
  const result = { key: record.key, stageName, held };
  // Of a stage that was reused when blocks are ranked after it: it stays the other job's.
  const { reused } = record;
  const job = reused ? { name: reused.job, uid: reused.uid } : { name: plan.name, uid };
  return { kind: 'keepStage', result: { ...result, job, record: { ...record, reused: null } } };
}
