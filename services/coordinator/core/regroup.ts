// Who trains is a level: after every decision the members that should train are compared with the generation that does.
// Where they differ, training is halted: every member of the next generation says how far it has come, and applies
// nothing of the former one any more. A step is applied by all or can be applied by all, because nobody goes on before
// everybody has contributed; so those who are ahead are one step ahead at most, and hold the state that the others take
// over from one of them, as do those who join. Nothing that was computed is lost but the step under way.

import { canonicalJson } from '@thaw/common/content/digest.ts';
import { invariant } from '@thaw/common/errors/thaw-error.ts';
import type { Halted__Output } from '@thaw/proto/gen/thaw/v1/Halted.ts';
import { chosenMembers, isGeneration, surplusMembers } from './choose-members.ts';
import { issueDirective } from './directive.ts';
import { whoDiffers } from './divergence.ts';
import { record } from './event-log.ts';
import type { Decision, Effect } from './events.ts';
import { failWith } from './failing.ts';
import { gathered } from './gathering.ts';
import { formGeneration, recordGeneration } from './generation.ts';
import { without } from './members.ts';
import type { Result } from './pending.ts';
import { directAgain, directTraining } from './progression.ts';
import { dropUnanswered, openSnapshotPlan } from './snapshots.ts';
import { type Generation, type Interrupted, isTerminal, type JobState, type TrainWork, type Work } from './state.ts';

/** What has to change so that the right members do the work; `before` was the state before the decision. */
export function settleMembers(before: JobState, decision: Decision, now: number): Decision {
  const { state } = decision;
  if (isTerminal(state) || state.phase === 'Exporting') return decision;
  if (state.phase === 'Gathering') return then(decision, (given) => gathered(given, now, before.reason));
  return then(
    then(decision, (given) => releaseSurplus(given, now)),
    (given) => regroup(given, before, now),
  );
}

function then(decision: Decision, next: (state: JobState) => Decision): Decision {
  const { state, effects } = next(decision.state);
  return { state, effects: [...decision.effects, ...effects] };
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
    next = record({ ...without(next, member), directivesIssued: revision }, now, {
      kind: 'trainerLeft',
      trainer,
      pid,
      reason,
    });
    effects.push({ kind: 'release', to, revision, reason });
  }
  return { state: next, effects };
}

/** What training stands still for, or would; null while no training is under way. */
function interruptedBy({ directive, generation }: JobState): Interrupted | null {
  if (!directive || !generation) return null;
  const { work } = directive;
  if (work.kind === 'halt' || work.kind === 'handOver') return work;
  const from = generation.members.map(({ incarnation }) => incarnation);
  return work.kind === 'train' ? { train: work.train, from } : null;
}

function regroup(state: JobState, before: JobState, now: number): Decision {
  const { directive, generation } = state;
  if (!directive || !generation) return { state, effects: [] };
  const chosen = chosenMembers(state);
  const interrupted = interruptedBy(state);
  if (interrupted && !isGeneration(state, chosen)) return halt(state, now, interrupted, changeText(state, before));
  const left = chosen.filter(({ incarnation }) => generation.members.some((one) => one.incarnation === incarnation));
  if (interrupted || left.length === generation.members.length) return { state, effects: [] };
  if (left.length === 0) return goBack(state, now);
  const formed = formGeneration(state, left, state.cursor.step + 1);
  const told = recordGeneration(formed, now, changeText(state, before));
  return directAgain(told, directive.work as Parameters<typeof directAgain>[1]);
}

/** Why another generation is formed, in words. */
function changeText({ members, generation, wanted }: JobState, before: JobState): string {
  const chosen = chosenMembers({ members, generation, wanted });
  const names = (list: readonly { readonly name: string }[]): string => list.map(({ name }) => name).join(', ');
  const gone = generation?.members.filter((one) => !chosen.some(({ incarnation }) => incarnation === one.incarnation));
  const come = chosen.filter(({ incarnation }) => !generation?.members.some((one) => one.incarnation === incarnation));
  const why = wanted === before.wanted ? '' : ` (${wanted} are wanted)`;
  const parts = [...(gone?.length ? [`without ${names(gone)}`] : []), ...(come.length ? [`with ${names(come)}`] : [])];
  return `${parts.join(', ')}${why}`;
}

function halt(state: JobState, now: number, { train, from }: Interrupted, reason: string): Decision {
  const chosen = chosenMembers(state);
  if (chosen.length === 0) return goBack(state, now);
  const formed = formGeneration(state, chosen, train.firstStep);
  const dropped = dropUnanswered(formed);
  const halting: JobState = { ...dropped.state, phase: 'Training', reason: `regrouping ${reason}` };
  const { state: directed, effects } = issueDirective(halting, { kind: 'halt', reason, train, from });
  return { state: directed, effects: [...dropped.effects, ...effects] };
}

/** All members of the new generation stand still, and have said where. */
export function onHalted(
  state: JobState,
  now: number,
  work: Extract<Work, { kind: 'halt' }>,
  results: readonly Result[],
): Decision {
  const generation = state.generation as Generation;
  const { trainersMin: min } = state.plan;
  if (generation.members.length < min) return pause(state, now, work);
  const places = placesOf(generation, work, results);
  const ahead = Math.max(...places.map(({ appliedStep }) => appliedStep));
  if (ahead < work.train.firstStep) return goOnUnchanged(state, now, work, places);
  const leading = places.filter(({ appliedStep }) => appliedStep === ahead);
  const names = leading.map(({ name }) => name);
  const difference = whoDiffers(
    names,
    leading.map(({ sums }) => canonicalJson(sums)),
  );
  if (difference)
    return failWith(state, now, 'StateDiverged', `where training halted after step ${ahead}, ${difference}`);
  const train: TrainWork = {
    ...work.train,
    firstStep: ahead + 1,
    soFar: leading[0]?.sums ?? null,
    restoreDigest: '',
    restoring: [],
    resetOptimizer: false,
  };
  const moved: JobState = { ...state, cursor: { ...state.cursor, step: ahead } };
  return goOnFrom(
    moved,
    now,
    { train, from: work.from },
    leading.map(({ incarnation }) => incarnation),
  );
}

interface Place extends Pick<Halted__Output, 'appliedStep' | 'sums'> {
  readonly incarnation: string;
  readonly name: string;
}

/** What somebody holds who was not told to train these steps proves nothing: it counts as holding nothing. */
function placesOf({ members }: Generation, { train, from }: Interrupted, results: readonly Result[]): readonly Place[] {
  return members.map(({ incarnation, name }, i) => {
    const { appliedStep = -1, sums = null } = results[i]?.halted ?? {};
    const isTrusted = from.includes(incarnation) && appliedStep <= train.lastStep;
    return { incarnation, name, sums, appliedStep: isTrusted ? appliedStep : -1 };
  });
}

/** Nobody has applied a step of it: the same training again, with what it begins with. */
function goOnUnchanged(state: JobState, now: number, work: Interrupted, places: readonly Place[]): Decision {
  const { train } = work;
  const isForAll = train.restoreDigest !== '' && train.restoring.length === 0;
  if (isForAll) return goOn(state, now, train);
  const holding = places
    .filter(({ appliedStep }) => appliedStep === train.firstStep - 1)
    .map(({ incarnation }) => incarnation)
    .filter((incarnation) => !train.restoring.includes(incarnation));
  // Of those who were to take it over, nobody can tell who has: it is still there for them.
  if (train.restoreDigest !== '') return goOn(state, now, { ...train, restoring: othersThan(state, holding) });
  return goOnFrom(state, now, work, holding);
}

function othersThan({ generation }: JobState, holding: readonly string[]): readonly string[] {
  const all = generation?.members.map(({ incarnation }) => incarnation) ?? [];
  return holding.length === 0 ? [] : all.filter((incarnation) => !holding.includes(incarnation));
}

/** `holding`: incarnations that hold what `train` begins with; the others take it over first. */
function goOnFrom(state: JobState, now: number, { train, from }: Interrupted, holding: readonly string[]): Decision {
  const [holder] = holding;
  if (holder === undefined) return goBack(state, now);
  const restoring = othersThan(state, holding);
  if (restoring.length === 0) return goOn(state, now, train);
  const members = state.generation?.members ?? [];
  const member = members.findIndex(({ incarnation }) => incarnation === holder);
  const names = members.filter(({ incarnation }) => restoring.includes(incarnation)).map(({ name }) => name);
  const handing: JobState = {
    ...state,
    reason: `${members[member]?.name} hands its state over to ${names.join(', ')}`,
  };
  const still = from.filter((incarnation) => holding.includes(incarnation));
  return issueDirective(handing, { kind: 'handOver', member, train: { ...train, restoring }, from: still });
}

export function onHandedOver(
  state: JobState,
  now: number,
  work: Extract<Work, { kind: 'handOver' }>,
  results: readonly Result[],
): Decision {
  const { digest } = results[work.member]?.stored ?? { digest: '' };
  invariant(digest !== '', 'a member that was asked to store its state says its digest');
  return goOn(state, now, { ...work.train, restoreDigest: digest });
}

function goOn(state: JobState, now: number, train: TrainWork): Decision {
  const generation = { ...(state.generation as Generation), firstStep: train.firstStep };
  const interrupted = state.directive?.work as Extract<Work, { kind: 'halt' | 'handOver' }>;
  const reason = interrupted.kind === 'halt' ? interrupted.reason : 'the state is handed over';
  const told = recordGeneration({ ...state, generation }, now, reason);
  const going = directTraining(told, train);
  // A plan of before was dropped; whoever waits for a snapshot before the end still does.
  return state.stopping === null ? going : then(going, openSnapshotPlan);
}

function pause(state: JobState, now: number, { train }: Interrupted): Decision {
  const count = state.generation?.members.length ?? 0;
  const reason = `${count} of at least ${state.plan.trainersMin} trainers are left`;
  const step = train.firstStep - 1;
  const paused = record({ ...state, reason: `paused: ${reason}` }, now, { kind: 'trainingPaused', reason, step });
  return { state: paused, effects: [] };
}

/** Nobody is left who holds what training goes on with: back to the newest snapshot, with whoever is or will be there. */
function goBack(state: JobState, now: number): Decision {
  const reason = 'no trainer is left that holds the state; going back to the newest snapshot';
  const { step } = state.cursor;
  const dropped = dropUnanswered(state);
  const waiting: JobState = {
    ...record(dropped.state, now, { kind: 'trainingPaused', reason, step }),
    phase: 'Gathering',
    reason,
    directive: null,
    // Until it is known what to go on with, nothing begins.
    reuseKnown: false,
  };
  return { state: waiting, effects: [...dropped.effects, { kind: 'takeUp' }] };
}
