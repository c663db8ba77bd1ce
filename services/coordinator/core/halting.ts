// Training that stands still and goes on. Halted, every member of the next generation says how far it has come, and
// applies nothing of the former one any more. Nobody goes on to a step before everybody has contributed to the one
// before it; so those who are ahead are one step ahead at most, and hold the state that the others take over from one of
// them, as do those who join. Nothing that was computed is lost but the step under way.

import { canonicalJson, type Digest } from '@thaw/common/content/digest.ts';
import { invariant } from '@thaw/common/errors/thaw-error.ts';
import type { Halted__Output } from '@thaw/proto/gen/thaw/v1/Halted.ts';
import { isGeneration } from './choose-members.ts';
import { issueDirective } from './directive.ts';
import { whoDiffers } from './divergence.ts';
import { record } from './event-log.ts';
import type { Decision } from './events.ts';
import { cancel, failWith } from './failing.ts';
import { formGeneration, recordGeneration } from './generation.ts';
import type { Result } from './pending.ts';
import { directTraining } from './progression.ts';
import { dropUnanswered } from './snapshots.ts';
import type { Generation, Interrupted, JobState, Member, TrainWork, Work } from './state.ts';
import { isStoredUpTo, snapshotOfHalt } from './stopping.ts';

/** What training stands still for, or would; null while no training is under way. */
export function interruptedBy({ directive, generation }: JobState): Omit<Interrupted, 'reason'> | null {
  if (!directive || !generation) return null;
  const { work } = directive;
  if (work.kind === 'halt' || work.kind === 'handOver') return work;
  const from = generation.members.map(({ incarnation }) => incarnation);
  return work.kind === 'train' ? { train: work.train, from } : null;
}

/** Of training that is halted, or handed over. */
function interruption({ directive }: JobState): Interrupted {
  const work = directive?.work;
  invariant(work?.kind === 'halt' || work?.kind === 'handOver', `${work?.kind} interrupts nothing`);
  return work;
}

export interface Halting {
  readonly interrupted: Omit<Interrupted, 'reason'>;
  /** Members of the next generation. */
  readonly chosen: readonly Member[];
  /** In words. */
  readonly reason: string;
}

export function halt(state: JobState, now: number, { interrupted, chosen, reason }: Halting): Decision {
  if (chosen.length === 0) return goBack(state, now);
  const { train, from } = interrupted;
  const formed = formGeneration(state, chosen, train.firstStep);
  const isSame = isGeneration(state, chosen);
  const given = isSame ? formed : dropUnanswered(formed);
  return issueDirective({ ...given, reason: `training halts ${reason}` }, { kind: 'halt', reason, train, from });
}

/** All members of the new generation stand still, and have said where. */
export function onHalted(
  state: JobState,
  now: number,
  work: Extract<Work, { kind: 'halt' }>,
  results: readonly Result[],
): Decision {
  const generation = state.generation as Generation;
  const places = placesOf(generation, work, results);
  const ahead = Math.max(...places.map(({ appliedStep }) => appliedStep));
  const leading = places.filter(({ appliedStep }) => appliedStep === ahead);
  const difference = whoDiffers(
    leading.map(({ name }) => name),
    leading.map(({ sums }) => canonicalJson(sums)),
  );
  if (difference && ahead >= work.train.firstStep) {
    return failWith(state, now, 'StateDiverged', `where training halted after step ${ahead}, ${difference}`);
  }
  const next = ahead < work.train.firstStep ? unchanged(work, places) : movedOn(work, leading);
  const moved: JobState = { ...state, cursor: { ...state.cursor, step: next.train.firstStep - 1 } };
  if (state.stopping !== null) return storeBeforeTheEnd(moved, now, next, state.stopping);
  if (generation.members.length < state.plan.trainersMin) return pause(moved, now);
  return goOnFrom(moved, now, next);
}

interface Place extends Pick<Halted__Output, 'appliedStep' | 'sums'> {
  readonly incarnation: string;
  readonly name: string;
}

const holdsNothing = -1;

/** What somebody holds who was not told to train these steps proves nothing. */
function placesOf({ members }: Generation, { train, from }: Interrupted, results: readonly Result[]): readonly Place[] {
  return members.map(({ incarnation, name }, i) => {
    const { appliedStep = holdsNothing, sums = null } = results[i]?.halted ?? {};
    const isOwn = appliedStep < train.firstStep || (appliedStep <= train.lastStep && sums !== null);
    const isTrusted = from.includes(incarnation) && isOwn;
    return { incarnation, name, sums, appliedStep: isTrusted ? appliedStep : holdsNothing };
  });
}

interface Next {
  readonly train: TrainWork;
  /** Incarnations that hold what `train` begins with, so that nobody has to restore it for them. */
  readonly holding: readonly string[];
}

function movedOn({ train }: Interrupted, leading: readonly Place[]): Next {
  const [first] = leading as readonly [Place];
  return {
    train: {
      ...train,
      firstStep: first.appliedStep + 1,
      soFar: first.sums,
      restoreDigest: '',
      restoring: [],
      resetOptimizer: false,
    },
    holding: leading.map(({ incarnation }) => incarnation),
  };
}

/** Nobody has applied a step of it. Of those who were to restore something first, nobody can tell who has. */
function unchanged({ train }: Interrupted, places: readonly Place[]): Next {
  const isForAll = train.restoreDigest !== '' && train.restoring.length === 0;
  const holding = places.filter(
    ({ appliedStep, incarnation }) =>
      !isForAll && appliedStep === train.firstStep - 1 && !train.restoring.includes(incarnation),
  );
  return { train, holding: holding.map(({ incarnation }) => incarnation) };
}

function goOnFrom(state: JobState, now: number, { train, holding }: Next): Decision {
  const members = state.generation?.members ?? [];
  const others = members.filter(({ incarnation }) => !holding.includes(incarnation));
  const [holder] = holding;
  // Nobody to take it from, but perhaps all are to take it from where it is stored.
  if (holder === undefined) return train.restoreDigest === '' ? goBack(state, now) : goOn(state, now, whole(train));
  if (others.length === 0) return goOn(state, now, { ...train, restoreDigest: '', restoring: [] });
  const next: TrainWork = { ...train, restoring: others.map(({ incarnation }) => incarnation) };
  if (train.restoreDigest !== '') return goOn(state, now, next);
  const reason = `${nameOf(state, holder)} hands its state over to ${others.map(({ name }) => name).join(', ')}`;
  return handOver({ ...state, reason }, { train: next, holding });
}

function whole(train: TrainWork): TrainWork {
  return { ...train, restoring: [] };
}

function nameOf({ generation }: JobState, incarnation: string): string {
  return generation?.members.find((member) => member.incarnation === incarnation)?.name ?? incarnation;
}

function handOver(state: JobState, { train, holding }: Next): Decision {
  const member = state.generation?.members.findIndex(({ incarnation }) => incarnation === holding[0]) ?? 0;
  const { reason } = interruption(state);
  return issueDirective(state, { kind: 'handOver', reason, member, train, from: holding });
}

export function onHandedOver(
  state: JobState,
  now: number,
  { member, train }: Extract<Work, { kind: 'handOver' }>,
  results: readonly Result[],
): Decision {
  const { digest, bytes } = results[member]?.stored ?? { digest: '', bytes: 0 };
  invariant(digest !== '', 'a member that was asked to store its state says its digest');
  const stored = { digest: digest as Digest, bytes };
  if (state.stopping !== null) return snapshotOfHalt(state, now, { train, stored });
  return goOn(state, now, { ...train, restoreDigest: digest });
}

function goOn(state: JobState, now: number, train: TrainWork): Decision {
  const { reason } = interruption(state);
  const generation = { ...(state.generation as Generation), firstStep: train.firstStep };
  return directTraining(recordGeneration({ ...state, generation }, now, reason), train);
}

function storeBeforeTheEnd(state: JobState, now: number, next: Next, stopping: string): Decision {
  const stored = isStoredUpTo(state, next.train.firstStep - 1);
  if (stored === 'being stored') return { state, effects: [] };
  return stored || next.holding.length === 0 ? cancel(state, now, stopping) : handOver(state, next);
}

function pause(state: JobState, now: number): Decision {
  const count = state.generation?.members.length ?? 0;
  const reason = `${count} of at least ${state.plan.trainersMin} trainers are left`;
  const { step } = state.cursor;
  const paused = record({ ...state, reason: `paused: ${reason}` }, now, { kind: 'trainingPaused', reason, step });
  return { state: paused, effects: [] };
}

/** Nobody is left who holds what training goes on with: back to the newest snapshot, with whoever is or will be there. */
export function goBack(state: JobState, now: number): Decision {
  if (state.stopping !== null) return cancel(state, now, state.stopping);
  const reason = 'no trainer is left that holds the state; going back to the newest snapshot';
  const given = dropUnanswered(state);
  const waiting: JobState = {
    ...record(given, now, { kind: 'trainingPaused', reason, step: state.cursor.step }),
    phase: 'Gathering',
    reason,
    directive: null,
    // Until it is known what to go on with, nothing begins.
    reuseKnown: false,
  };
  return { state: waiting, effects: [{ kind: 'takeUp' }] };
}
