// Who is there: trainers that were let in, in the order of their incarnations. Anybody may come and go at any time; which
// of them train is decided elsewhere, from what is said here. Only a trainer that computes other bits is refused.

import { canonicalJson } from '@thaw/common/content/digest.ts';
import { type ErrorCode, lostTouchCodes } from '@thaw/common/errors/catalogue.ts';
import type { EngineClass__Output } from '@thaw/proto/gen/thaw/v1/EngineClass.ts';
import type { Failure__Output } from '@thaw/proto/gen/thaw/v1/Failure.ts';
import type { Hello__Output } from '@thaw/proto/gen/thaw/v1/Hello.ts';
import type { Ready__Output } from '@thaw/proto/gen/thaw/v1/Ready.ts';
import { protocolVersion } from '@thaw/proto/protocol-version.ts';
import { isTraining } from './choose-members.ts';
import { directedMembers } from './directive.ts';
import { record } from './event-log.ts';
import type { CoreEvent, Decision, Effect } from './events.ts';
import { fail } from './failing.ts';
import { isDone, type JobEngine, type JobState, type Member } from './state.ts';
import { failureOf } from './trainer-failure.ts';

export function onHello(state: JobState, now: number, hello: Hello__Output): Decision {
  const { incarnation, name, pid } = hello;
  if (hello.highestTerm > state.term) return { state, effects: [{ kind: 'superseded', term: hello.highestTerm }] };
  if (memberOf(state, incarnation)) {
    return {
      state,
      effects: [
        { kind: 'welcome', to: incarnation },
        ...(directedMembers(state).includes(incarnation) ? [{ kind: 'direct', to: [incarnation] } as const] : []),
      ],
    };
  }
  const refusal = refusalOf(state, hello);
  if (refusal) return refuse(state, now, { incarnation, name, ...refusal });
  const namesake = state.members.find((other) => other.name === name);
  const before = namesake ? lose(state, now, namesake, 'a new process has taken its name') : nothing(state);
  const member: Member = { incarnation, name, pid, ready: false, metricsPort: 0 };
  const members = [...before.state.members, member].sort((a, b) => (a.incarnation < b.incarnation ? -1 : 1));
  const joined = record({ ...before.state, members }, now, { kind: 'trainerJoined', trainer: name, incarnation, pid });
  return { state: joined, effects: [...before.effects, { kind: 'welcome', to: incarnation }] };
}

interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
}

function refusalOf(state: JobState, hello: Hello__Output): Refusal | null {
  const { plan } = state;
  if (hello.protocolVersion !== protocolVersion) {
    const message = `${hello.name} speaks protocol version ${hello.protocolVersion}; this coordinator speaks ${protocolVersion}`;
    return { code: 'VersionUnknown', message };
  }
  if (hello.jobDigest !== '' && hello.jobDigest !== plan.jobDigest) {
    const message = `${hello.name} was started for job ${hello.jobDigest}; this is ${plan.jobDigest}`;
    return { code: 'ProtocolViolation', message };
  }
  return isDone(state) ? { code: 'ProtocolViolation', message: `the job is over: ${state.phase}` } : null;
}

export function onReady(state: JobState, now: number, from: string, ready: Ready__Output): Decision {
  const member = memberOf(state, from);
  if (!member || member.ready || isDone(state) || !ready.engineClass) return nothing(state);
  const { probeDigest, stageProbeDigests, engineClass, metricsPort } = ready;
  const own: JobEngine = { engineClass, probeDigest, stageProbeDigests };
  const engine = state.engine ?? own;
  const difference = engineDifference(engine, own);
  if (difference) {
    const message = `${member.name} computes other bits than the job: ${difference}`;
    const { name } = member;
    return refuse(without(state, member), now, { incarnation: from, name, code: 'EngineClassMismatch', message });
  }
  const members = state.members.map((other) => (other === member ? { ...member, ready: true, metricsPort } : other));
  const entry = { kind: 'trainerReady', trainer: member.name, engineClass, probeDigest } as const;
  const joined = record({ ...state, engine, members }, now, entry);
  // What was trained before can be looked up as soon as it is known what computes the bits.
  const search: Effect[] = state.engine ? [] : [{ kind: 'findStages' }];
  return { state: joined, effects: search };
}

/** Both engines side by side, or null when they compute the same bits. */
function engineDifference(job: JobEngine, trainer: JobEngine): string | null {
  const sameClass = canonicalJson(job.engineClass) === canonicalJson(trainer.engineClass);
  if (sameClass && job.probeDigest === trainer.probeDigest) return null;
  const cause = sameClass ? 'the same engine class, but another probe digest' : 'another engine class';
  return `${cause}. Trainer: ${describeEngine(trainer)}. Job: ${describeEngine(job)}`;
}

function describeEngine({ engineClass, probeDigest }: JobEngine): string {
  const { engine, version, device, cpuFeatures, threads }: EngineClass__Output = engineClass;
  return `${engine} ${version} on ${device} [${cpuFeatures}], ${threads} threads, probe ${probeDigest}`;
}

function refuse(
  state: JobState,
  now: number,
  { incarnation, name, code, message }: Refusal & { readonly incarnation: string; readonly name: string },
): Decision {
  const refused = record(state, now, { kind: 'trainerRefused', trainer: name, code, message });
  const told: JobState = state.phase === 'Gathering' ? { ...refused, reason: `refused: ${message}` } : refused;
  return { state: told, effects: [{ kind: 'refuse', to: incarnation, code, message }] };
}

/** Nobody hears from it any more. Once its work is done that is no loss. */
export function onLost(state: JobState, now: number, from: string, reason: string): Decision {
  const member = memberOf(state, from);
  return member && !isDone(state) ? lose(state, now, member, reason) : nothing(state);
}

export function onExited(
  state: JobState,
  now: number,
  { name, pid, reason }: Extract<CoreEvent, { readonly kind: 'exited' }>,
): Decision {
  const member = state.members.find((one) => one.name === name && one.pid === pid);
  return member && !isDone(state) ? lose(state, now, member, reason) : nothing(state);
}

export function onGoodbye(state: JobState, now: number, from: string, reason: string): Decision {
  const member = memberOf(state, from);
  if (!member || isDone(state)) return nothing(state);
  const { name: trainer, pid } = member;
  return nothing(record(without(state, member), now, { kind: 'trainerLeft', trainer, pid, reason }));
}

/** Before any training, and of one that trains, a trainer's own error is the job's; one that only wants to join is let go. */
export function onFailure(state: JobState, now: number, from: string, failure: Failure__Output): Decision {
  const member = memberOf(state, from);
  if (!member || isDone(state)) return nothing(state);
  const isFirst = state.generation === null;
  const isNeeded = isFirst || (state.directive !== null && isTraining(state, member));
  if (isNeeded && !lostTouchCodes.some((code) => code === failure.code))
    return fail(state, now, failureOf(member, failure));
  return lose(state, now, member, `${failure.code}: ${failure.message}`);
}

function lose(state: JobState, now: number, member: Member, reason: string): Decision {
  const { name: trainer, pid, incarnation } = member;
  const lost = record(without(state, member), now, { kind: 'trainerLost', trainer, pid, reason });
  return { state: lost, effects: [{ kind: 'disconnect', to: incarnation }] };
}

export function without(state: JobState, member: Member): JobState {
  return { ...state, members: state.members.filter((other) => other !== member) };
}

/** Why the job cannot have that many trainers, in words; null when it can. */
export function scaleProblem({ plan, phase }: JobState, replicas: number): string | null {
  const { trainersMin: min, trainersMax: max } = plan;
  if (isDone({ phase })) return `the job is over: ${phase}`;
  if (Number.isInteger(replicas) && replicas >= min && replicas <= max) return null;
  return `found ${replicas} trainers; expected ${min} to ${max} (trainers.min and trainers.max of the job)`;
}

export function onScale(
  state: JobState,
  now: number,
  { replicas }: Extract<CoreEvent, { readonly kind: 'scale' }>,
): Decision {
  if (scaleProblem(state, replicas) !== null || replicas === state.wanted) return nothing(state);
  const { wanted: from } = state;
  return nothing(record({ ...state, wanted: replicas }, now, { kind: 'trainersScaled', from, to: replicas }));
}

function nothing(state: JobState): Decision {
  return { state, effects: [] };
}

export function memberOf(state: JobState, incarnation: string): Member | undefined {
  return state.members.find((member) => member.incarnation === incarnation);
}
