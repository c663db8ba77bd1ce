// When a snapshot is taken, and when it becomes the point that the job goes on from. A plan asks all members for one after
// the same step; at the end of an epoch they take one by themselves. Only when all of them say the same digest and the
// file that names the state is stored, the restore point moves.

import { canonicalJson, type Digest } from '@thaw/common/content/digest.ts';
import type { Plan } from '@thaw/proto/gen/thaw/v1/Plan.ts';
import type { SnapshotTaken__Output } from '@thaw/proto/gen/thaw/v1/SnapshotTaken.ts';
import { directedMembers } from './directive.ts';
import { whoDiffers } from './divergence.ts';
import { record } from './event-log.ts';
import type { CoreEvent, Decision } from './events.ts';
import { cancel, fail } from './failing.ts';
import { referenced } from './references.ts';
import { type RestorePoint, type Schedule, type Snapshot, scheduleOf, statesIn } from './snapshot.ts';
import { isTerminal, type JobState } from './state.ts';
import { then } from './then.ts';

/** The newest one, and the one before it for the day on which a disk has damaged the newest. */
export const restorePointsMax = 2;

/** Snapshots that are still being stored belong to one of this many directives. */
export const schedulesKeptMax = 4;

/** What an open plan asks for; null while none is open. */
export interface OpenPlan {
  readonly number: number;
  readonly member: number;
}

/** Asks for a snapshot after the next step that everybody knows of it; one at a time. */
export function openSnapshotPlan(state: JobState): Decision {
  if (state.openPlan || state.directive?.work.kind !== 'train' || isTerminal(state)) return { state, effects: [] };
  const number = state.plansIssued + 1;
  const to = directedMembers(state);
  const opened: JobState = { ...state, plansIssued: number, openPlan: { number, member: 0 } };
  return { state: opened, effects: [{ kind: 'plan', to }] };
}

/** The message of the open plan; null while none is open. */
export function planMessage({ term, openPlan }: JobState): Plan | null {
  return openPlan && { term, number: openPlan.number, snapshot: { member: openPlan.member } };
}

/** Remembers the schedule that the steps of the current directive stand on; called as soon as it is issued. */
export function withSchedule(state: JobState): JobState {
  const { pending, directive } = state;
  if (!directive) return state;
  const schedules = [...pending.schedules, { revision: directive.revision, schedule: scheduleOf(state) }];
  const kept = schedules.slice(-schedulesKeptMax);
  const oldest = kept[0]?.revision ?? 0;
  const isKept = ({ revision }: { readonly revision: number }): boolean => revision >= oldest;
  const late = pending.snapshots.filter((one) => !isKept(one)).flatMap((one) => Object.values(one.answers));
  const snapshots = pending.snapshots.filter(isKept);
  return withDropped({ ...state, pending: { ...pending, schedules: kept, snapshots } }, late);
}

/** While its directive stands, the state itself is the schedule; afterwards only who lived through it knows. */
function scheduleAt(state: JobState, revision: number): Schedule | null {
  const { pending, directive } = state;
  const kept = pending.schedules.find((one) => one.revision === revision);
  if (kept) return kept.schedule;
  return directive?.revision === revision && directive.work.kind === 'train' ? scheduleOf(state) : null;
}

export function onSnapshotTaken(state: JobState, now: number, from: string, taken: SnapshotTaken__Output): Decision {
  const members = state.generation?.members ?? [];
  const isMember = members.some(({ incarnation }) => incarnation === from);
  const isWritten = state.pending.writing.some(({ step }) => step === taken.step);
  const schedule = scheduleAt(state, taken.revision);
  const newest = state.restorePoints[0]?.step ?? 0;
  if (!isMember || !schedule || isTerminal(state) || taken.step <= newest || isWritten)
    return { state: withDropped(state, [taken]), effects: [] };
  const { revision, step } = taken;
  const isSame = (one: { readonly revision: number; readonly step: number }): boolean =>
    one.revision === revision && one.step === step;
  const before = state.pending.snapshots.find(isSame)?.answers ?? {};
  const answers = { ...before, [from]: before[from] ?? taken };
  const others = state.pending.snapshots.filter((one) => !isSame(one));
  const all = members.flatMap(({ incarnation }) => answers[incarnation] ?? []);
  const snapshots = all.length < members.length ? [...others, { revision, step, answers }] : others;
  const noted: JobState = { ...state, pending: { ...state.pending, snapshots } };
  return all.length < members.length ? { state: noted, effects: [] } : onAllTaken(noted, now, schedule, all);
}

function onAllTaken(state: JobState, now: number, schedule: Schedule, all: readonly SnapshotTaken__Output[]): Decision {
  const names = state.generation?.members.map(({ name }) => name) ?? [];
  const [{ step, plan, digest, sums }] = all as [SnapshotTaken__Output];
  const difference = whoDiffers(
    names,
    all.map((one) => `${one.digest} (${canonicalJson(one.sums)})`),
  );
  if (difference) {
    const message = `in the snapshot after step ${step}, ${difference}`;
    const failed = fail(withDropped(state, all), now, { code: 'StateDiverged', message });
    return then(failed, (given) => discardDropped(given, step));
  }
  const openPlan = state.openPlan && plan >= state.openPlan.number ? null : state.openPlan;
  const stored = all.find(({ bytes }) => bytes > 0);
  if (!stored || !sums) return { state: { ...state, openPlan }, effects: [] };
  const { jobDigest } = state.plan;
  const of = { digest: digest as Digest, bytes: stored.bytes };
  const pauseSeconds = Math.max(...all.map((one) => one.pauseSeconds));
  const snapshot: Snapshot = { jobDigest, state: of, step, sums, schedule, pauseSeconds, at: now };
  const pending = { ...state.pending, writing: [...state.pending.writing, snapshot] };
  return { state: { ...state, openPlan, pending }, effects: [{ kind: 'keepSnapshot', snapshot }] };
}

/** Snapshots that not all have answered for, and the open plan, end with their generation; what is said late is dropped. */
export function dropUnanswered(state: JobState): JobState {
  const answers = state.pending.snapshots.flatMap((one) => Object.values(one.answers));
  const pending = { ...state.pending, snapshots: [], schedules: [] };
  return withDropped({ ...state, openPlan: null, pending }, answers);
}

function withDropped(state: JobState, answers: readonly SnapshotTaken__Output[]): JobState {
  const stored = answers.filter(({ bytes }) => bytes > 0).map(({ digest, step }) => ({ digest, step }));
  if (stored.length === 0) return state;
  return { ...state, pending: { ...state.pending, dropped: [...state.pending.dropped, ...stored] } };
}

/** What was dropped up to this restore point, unless something else has the same digest. */
function discardDropped(state: JobState, upTo: number): Decision {
  const due = state.pending.dropped.filter(({ step }) => step <= upTo);
  const needed = referenced(state);
  const useless = new Set(due.map(({ digest }) => digest).filter((digest) => !needed.has(digest)));
  const dropped = state.pending.dropped.filter(({ step }) => step > upTo);
  return {
    state: { ...state, pending: { ...state.pending, dropped } },
    effects: [...useless].map((digest) => ({ kind: 'discard', digest })),
  };
}

/** The snapshot's file is on disk: this is the one moment at which the restore point moves. */
export function onSnapshotKept(
  state: JobState,
  now: number,
  { digest, snapshot }: Extract<CoreEvent, { readonly kind: 'snapshotKept' }>,
): Decision {
  const { step, schedule, pauseSeconds } = snapshot;
  if (isTerminal(state)) return { state, effects: [] };
  const writing = state.pending.writing.filter((one) => one.step !== step);
  // Of two that were written at once the older one may come last.
  if (step <= (state.restorePoints[0]?.step ?? 0)) {
    return { state: { ...state, pending: { ...state.pending, writing } }, effects: [{ kind: 'discard', digest }] };
  }
  const { stage, epoch } = schedule.cursor;
  const point: RestorePoint = { digest, stage, epoch, step, states: statesIn(snapshot) };
  const restorePoints = [point, ...state.restorePoints].slice(0, restorePointsMax);
  // Snapshots of older directives come too late from now on.
  const schedules = state.pending.schedules.filter((one) => one.schedule.cursor.step >= schedule.cursor.step);
  const pending = { ...state.pending, writing, schedules };
  const { bytes } = snapshot.state;
  const place = { stage, epoch, step };
  const { state: rid, effects } = discardDropped({ ...state, restorePoints, pending }, step);
  const moved = record(rid, now, {
    kind: 'snapshotStored',
    ...place,
    digest,
    bytes,
    pauseSeconds,
  });
  if (state.stopping === null) return { state: moved, effects };
  return then({ state: moved, effects }, (given) => cancel(given, now, state.stopping ?? ''));
}
