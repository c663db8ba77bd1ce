// Before training: the job waits for its trainers, and for the answer whether some of its stages are trained already.

import type { Decision } from './events.ts';
import { beginTraining } from './progression.ts';
import type { JobState } from './state.ts';

/** Training begins once both are there. */
export function gathered(state: JobState, now: number): Decision {
  const { members, plan, reuseKnown } = state;
  const complete = members.length === plan.replicas && members.every(({ ready }) => ready);
  return complete && reuseKnown ? beginTraining(state, now) : { state: stillGathering(state), effects: [] };
}

/** With the reason, in words, for which training has not begun. */
export function stillGathering(state: JobState): JobState {
  const { members, plan } = state;
  const ready = members.filter((member) => member.ready).length;
  const reason =
    ready === plan.replicas
      ? 'looking for stages that are trained already'
      : `${ready} of ${plan.replicas} trainers ready`;
  return { ...state, reason };
}
