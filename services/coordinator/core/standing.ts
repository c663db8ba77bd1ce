// Which stages count: all but those that were rolled back. What a stage begins with and which weights are the result
// follow from the last of them.

import { invariant } from '@thaw/common/errors/thaw-error.ts';
import type { StagePlan } from './job-plan.ts';
import type { JobState, StageRecord, StoredState } from './state.ts';

export function lastStanding(stages: readonly StageRecord[]): StageRecord | undefined {
  return stages.findLast(({ rolledBack }) => rolledBack === undefined);
}

/** What a stage that is entered now begins with; null: the source, which nobody has stored. */
export function entryOf({ stages, held }: JobState, { onEnter }: Pick<StagePlan, 'onEnter'>): StoredState | null {
  const best = onEnter === 'restoreBest' ? lastStanding(stages)?.best?.stored : null;
  return best ?? held;
}

/** Job-global number of a finished stage's last epoch. `held`: the state at its end, which is older if it was undone. */
export function lastEpochOf({ rolledBack, epochs }: StageRecord, held: StoredState): number {
  return rolledBack ? (epochs.at(-1)?.epoch ?? held.epoch) : held.epoch;
}

export interface ChosenWeights {
  /** Whose weights they are. */
  readonly stage: number;
  readonly epoch: number;
  readonly stored: StoredState;
}

/** The weights that are tested and exported, once a stage stands and none is to come. */
export function chosenWeights({ stages, plan, held }: JobState): ChosenWeights {
  const last = lastStanding(stages);
  const stored = plan.weights === 'best' ? last?.best?.stored : held;
  invariant(last !== undefined && stored != null, 'a stage stands, and its best state and its last one are stored');
  return { stage: last.stage, epoch: stored.epoch, stored };
}
