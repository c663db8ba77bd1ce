// Before training: the job waits for its trainers, and for the answer whether some of its stages are trained already.

import { chosenMembers } from './choose-members.ts';
import type { Decision } from './events.ts';
import { beginTraining } from './progression.ts';
import type { JobState } from './state.ts';

/** Training begins once both are there. `reason`: what the state said before; a newer one is kept. */
export function gathered(state: JobState, now: number, reason: string): Decision {
  const isComplete = chosenMembers(state).length === state.wanted;
  const waiting = state.reason === reason ? stillGathering(state) : state;
  return isComplete && state.reuseKnown ? beginTraining(state, now) : { state: waiting, effects: [] };
}

/** With the reason, in words, for which training has not begun. */
export function stillGathering(state: JobState): JobState {
  const { wanted } = state;
  const ready = chosenMembers(state).length;
  const reason =
    ready === wanted ? 'looking for stages that are trained already' : `${ready} of ${wanted} trainers ready`;
  return state.reason === reason ? state : { ...state, reason };
}
