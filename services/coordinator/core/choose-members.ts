// Who should train: of the trainers that are ready, as many as are wanted. Those who train already come first, so that
// nobody is exchanged without need; among equals the lower name, so that scaling down lets the highest numbers go.

import type { JobState, Member } from './state.ts';

const { compare: compareNumbered } = new Intl.Collator('en', { numeric: true });

/** Sorted by incarnation, as a generation is. */
export function chosenMembers(state: Pick<JobState, 'members' | 'generation' | 'wanted'>): readonly Member[] {
  const ready = state.members.filter((member) => member.ready).sort((a, b) => compareNumbered(a.name, b.name));
  const staying = ready.filter((member) => isTraining(state, member));
  const joining = ready.filter((member) => !isTraining(state, member));
  const chosen = [...staying, ...joining].slice(0, state.wanted);
  return chosen.sort((a, b) => (a.incarnation < b.incarnation ? -1 : 1));
}

/** Ready, and not wanted. */
export function surplusMembers(state: Pick<JobState, 'members' | 'generation' | 'wanted'>): readonly Member[] {
  const chosen = chosenMembers(state);
  return chosen.length < state.wanted ? [] : state.members.filter((one) => one.ready && !chosen.includes(one));
}

export function isTraining(
  { generation }: Pick<JobState, 'generation'>,
  { incarnation }: Pick<Member, 'incarnation'>,
): boolean {
  return generation?.members.some((member) => member.incarnation === incarnation) ?? false;
}

/** The generation consists of just these. */
export function isGeneration({ generation }: Pick<JobState, 'generation'>, members: readonly Member[]): boolean {
  return generation?.members.length === members.length && members.every((member) => isTraining({ generation }, member));
}
