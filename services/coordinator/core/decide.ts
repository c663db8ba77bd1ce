// The coordinator's core: a job's state and one event in, the next state and what to do about it out. Pure: no clock,
// no socket, no promise; `now` is wall time in milliseconds, written into records and never compared. The runtime
// stores the state, then lets the effects leave.

import { assertNever } from '@thaw/common/errors/thaw-error.ts';
import { countBadSamples } from './bad-samples.ts';
import { record } from './event-log.ts';
import type { CoreEvent, Decision } from './events.ts';
import { cancel, failWith } from './failing.ts';
import { onExited, onFailure, onGoodbye, onHello, onLost, onReady, onScale } from './members.ts';
import { discards } from './references.ts';
import { settleMembers } from './regroup.ts';
import { onReport } from './reports.ts';
import { onResumed } from './resume.ts';
import { onSnapshotKept, onSnapshotTaken, openSnapshotPlan } from './snapshots.ts';
import { onStagesFound } from './stage-reuse.ts';
import { isTerminal, type JobState } from './state.ts';
import { onStop } from './stopping.ts';

export function decide(state: JobState, event: CoreEvent, now: number): Decision {
  const decision = settleMembers(state, decided(state, event, now), now);
  // What a resumed job has no use for was removed before it began.
  if (event.kind === 'resumed') return decision;
  return { ...decision, effects: [...decision.effects, ...discards(state, decision.state)] };
}

function decided(state: JobState, event: CoreEvent, now: number): Decision {
  switch (event.kind) {
    case 'started':
      return onStarted(state, now);
    case 'resumed':
      return onResumed(state, now, event);
    case 'scale':
      return onScale(state, now, event);
    case 'hello':
      return onHello(state, now, event.hello);
    case 'ready':
      return onReady(state, now, event.from, event.ready);
    case 'report':
      return onReport(state, now, event.from, event.report);
    case 'badSamples':
      return countBadSamples(state, now, event.samples);
    case 'stagesFound':
      return onStagesFound(state, now, event);
    case 'snapshotDue':
      return openSnapshotPlan(state);
    case 'snapshotTaken':
      return onSnapshotTaken(state, now, event.from, event.taken);
    case 'snapshotKept':
      return onSnapshotKept(state, now, event);
    case 'reached':
      return nothing(event.step > state.reachedStep ? { ...state, reachedStep: event.step } : state);
    case 'failure':
      return onFailure(state, now, event.from, event.failure);
    case 'goodbye':
      return onGoodbye(state, now, event.from, event.reason);
    case 'exited':
      return onExited(state, now, event);
    case 'lost':
      return onLost(state, now, event.from, event.reason);
    case 'stop':
      return onStop(state, now, event);
    case 'cancel':
      return cancel(state, now, event.reason);
    case 'broken':
      return failWith(state, now, event.code, event.message);
    case 'exported':
      return onExported(state, now, event.weightsDigest);
    case 'published':
      return nothing({ ...state, outbox: state.outbox.filter(({ sequence }) => sequence > event.sequence) });
    default:
      return assertNever(event, 'event');
  }
}

function onStarted(state: JobState, now: number): Decision {
  if (state.eventSequence > 0) {
    const isWaiting = state.engine !== null && !state.reuseKnown && !isTerminal(state);
    return { state, effects: isWaiting ? [{ kind: 'findStages' }] : [] };
  }
  const { name, jobDigest, replicas, shards, stages, warnings } = state.plan;
  return nothing(
    record({ ...state, startedAt: now }, now, {
      kind: 'jobStarted',
      uid: state.uid,
      name,
      jobDigest,
      trainers: replicas,
      shards,
      stages: stages.map((stage) => stage.name),
      ...(warnings && { warnings }),
    }),
  );
}

function onExported(state: JobState, now: number, weightsDigest: string): Decision {
  if (isTerminal(state)) return nothing(state);
  const done: JobState = {
    ...state,
    phase: 'Succeeded',
    reason: 'trained, tested and exported',
    result: { weightsDigest },
  };
  const logged = record(done, now, { kind: 'jobSucceeded', weightsDigest, steps: state.cursor.step });
  return { state: logged, effects: [{ kind: 'ended' }] };
}

function nothing(state: JobState): Decision {
  return { state, effects: [] };
}
