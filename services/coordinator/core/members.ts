// Who takes part. Membership is fixed in this version: the job waits for exactly `replicas` equal trainers, then stays
// with them; whoever is lost ends it, whoever comes later is refused with the reason.

import { canonicalJson } from '@thaw/common/content/digest.ts';
import type { ErrorCode } from '@thaw/common/errors/catalogue.ts';
import type { EngineClass__Output } from '@thaw/proto/gen/thaw/v1/EngineClass.ts';
import type { Hello__Output } from '@thaw/proto/gen/thaw/v1/Hello.ts';
import type { Ready__Output } from '@thaw/proto/gen/thaw/v1/Ready.ts';
import { protocolVersion } from '@thaw/proto/protocol-version.ts';
import { record } from './event-log.ts';
import type { Decision, Effect } from './events.ts';
import { fail } from './failing.ts';
import { gathered, stillGathering } from './gathering.ts';
import { isTerminal, type JobEngine, type JobState, type Member } from './state.ts';

export function onHello(state: JobState, now: number, hello: Hello__Output): Decision {
  const { incarnation, name, pid } = hello;
  if (hello.highestTerm > state.term) return { state, effects: [{ kind: 'superseded', term: hello.highestTerm }] };
  if (memberOf(state, incarnation)) {
    return {
      state,
      effects: [
        { kind: 'welcome', to: incarnation },
        { kind: 'direct', to: [incarnation] },
      ],
    };
  }
  const refusal = refusalOf(state, hello);
  if (refusal) return refuse(state, now, { incarnation, name, ...refusal });
  const member: Member = { incarnation, name, pid, ready: false, metricsPort: 0 };
  const members = [...state.members, member].sort((a, b) => (a.incarnation < b.incarnation ? -1 : 1));
  const joined = record({ ...state, members }, now, { kind: 'trainerJoined', trainer: name, incarnation, pid });
  return { state: stillGathering(joined), effects: [{ kind: 'welcome', to: incarnation }] };
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
  if (isTerminal(state)) return { code: 'ProtocolViolation', message: `the job is over: ${state.phase}` };
  if (state.phase !== 'Gathering' || state.members.length >= plan.replicas) {
    const message = `the job has its ${plan.replicas} trainers; joining a running job is not supported yet`;
    return { code: 'NotSupported', message };
  }
  return null;
}

export function onReady(state: JobState, now: number, from: string, ready: Ready__Output): Decision {
  const member = memberOf(state, from);
  if (!member || member.ready || state.phase !== 'Gathering' || !ready.engineClass) return { state, effects: [] };
  const { probeDigest, stageProbeDigests, engineClass, metricsPort } = ready;
  const own: JobEngine = { engineClass, probeDigest, stageProbeDigests };
  const engine = state.engine ?? own;
  const difference = engineDifference(engine, own);
  if (difference) {
    const members = state.members.filter(({ incarnation }) => incarnation !== from);
    const message = `${member.name} computes other bits than the job: ${difference}`;
    const { name } = member;
    return refuse({ ...state, members }, now, { incarnation: from, name, code: 'EngineClassMismatch', message });
  }
  const members = state.members.map((other) => (other === member ? { ...member, ready: true, metricsPort } : other));
  const entry = { kind: 'trainerReady', trainer: member.name, engineClass, probeDigest } as const;
  const joined = record({ ...state, engine, members }, now, entry);
  // What was trained before can be looked up as soon as it is known what computes the bits.
  const search: Effect[] = state.engine ? [] : [{ kind: 'findStages' }];
  const { state: next, effects } = gathered(joined, now);
  return { state: next, effects: [...search, ...effects] };
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

/** A member that will not come back. Once its work is done that is no loss. */
export function onLost(state: JobState, now: number, from: string, reason: string): Decision {
  const member = memberOf(state, from);
  const needed = member !== undefined && !isTerminal(state) && state.phase !== 'Exporting';
  if (!needed) return { state, effects: [] };
  const message = `${member.name} (pid ${member.pid}) was lost ${whereIn(state)}: ${reason}`;
  return fail(state, now, { code: 'TrainerLost', message, trainer: member.name });
}

/** A job that is taken up again, or that measures its old task first, has a generation and no stage. */
function whereIn({ phase, plan, stages, cursor }: JobState): string {
  if (phase === 'Gathering') return 'before training began';
  const stage = stages.at(-1);
  return stage ? `in stage "${plan.stages[stage.stage]?.name}" after step ${cursor.step}` : 'before the first stage';
}

export function memberOf(state: JobState, incarnation: string): Member | undefined {
  return state.members.find((member) => member.incarnation === incarnation);
}
