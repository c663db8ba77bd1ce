// Who trains is a level: after every decision the members that should train are compared with the generation that does.
// Where they differ, training is halted, and goes on with the right ones; other work is given anew to those who are left.

import { chosenMembers, isGeneration, isTraining, surplusMembers } from './choose-members.ts';
import { record } from './event-log.ts';
import type { Decision, Effect } from './events.ts';
import { gathered } from './gathering.ts';
import { formGeneration, recordGeneration } from './generation.ts';
import { goBack, halt, interruptedBy } from './halting.ts';
import { without } from './members.ts';
import { directAgain } from './progression.ts';
import { dropUnanswered } from './snapshots.ts';
import { isDone, type JobState, type Work } from './state.ts';
import { then } from './then.ts';

/** What has to change so that the right members do the work; `before` was the state before the decision. */
export function settleMembers(before: JobState, decision: Decision, now: number): Decision {
  const { state } = decision;
  if (isDone(state)) return decision;
  if (state.phase === 'Gathering') return then(decision, (given) => gathered(given, now, before.reason));
  const released = then(decision, (given) => releaseSurplus(given, now));
  return then(released, (given) => regroup(given, before, now));
}

/** One that is in the middle of an evaluation ends it first. */
function releaseSurplus(state: JobState, now: number): Decision {
  if (interruptedBy(state) === null) return { state, effects: [] };
  let next = state;
  const effects: Effect[] = [];
  for (const member of surplusMembers(state)) {
    const { incarnation: to, name: trainer, pid } = member;
    const reason = `the job wants ${state.wanted} trainers`;
    const revision = next.directivesIssued + 1;
    const released = { ...without(next, member), directivesIssued: revision };
    next = record(released, now, { kind: 'trainerLeft', trainer, pid, reason });
    effects.push({ kind: 'release', to, revision, reason });
  }
  return { state: next, effects };
}

function regroup(state: JobState, before: JobState, now: number): Decision {
  const { directive, generation } = state;
  if (!directive || !generation) return { state, effects: [] };
  const interrupted = interruptedBy(state);
  if (!interrupted) return replace(state, directive.work as Exclude<Work, { train: unknown }>, now);
  const chosen = chosenMembers(state);
  const isToStop = state.stopping !== null && (before.stopping === null || directive.work.kind === 'train');
  if (isGeneration(state, chosen) && !isToStop) return { state, effects: [] };
  return halt(state, now, { interrupted, chosen, reason: isToStop ? 'for an ordered end' : changeText(state, before) });
}

/** Those who join wait until training goes on. */
function replace(state: JobState, work: Exclude<Work, { train: unknown }>, now: number): Decision {
  const left = state.members.filter((member) => isTraining(state, member));
  if (left.length === state.generation?.members.length) return { state, effects: [] };
  if (left.length === 0) return goBack(state, now);
  const formed = dropUnanswered(formGeneration(state, left, state.cursor.step + 1));
  return directAgain(recordGeneration(formed, now, `without ${gone(state)}`), work);
}

/** Why another generation is formed, in words. */
function changeText(state: JobState, before: JobState): string {
  const come = chosenMembers(state).filter((member) => !isTraining(state, member));
  const names = come.map(({ name }) => name).join(', ');
  const scaled = state.wanted === before.wanted ? '' : ` (${state.wanted} are wanted)`;
  const parts = [...(gone(state) ? [`without ${gone(state)}`] : []), ...(names ? [`with ${names}`] : [])];
  return `${parts.join(', ')}${scaled}`;
}

/** Names of those who train and should not. */
function gone(state: JobState): string {
  const chosen = new Set(chosenMembers(state).map(({ incarnation }) => incarnation));
  const left = state.generation?.members.filter(({ incarnation }) => !chosen.has(incarnation)) ?? [];
  return left.map(({ name }) => name).join(', ');
}
