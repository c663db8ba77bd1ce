// Decisions one after the other: the effects of both leave once the last state is stored.

import type { Decision } from './events.ts';
import type { JobState } from './state.ts';

export function then(decision: Decision, next: (state: JobState) => Decision): Decision {
  const { state, effects } = next(decision.state);
  return { state, effects: [...decision.effects, ...effects] };
}
