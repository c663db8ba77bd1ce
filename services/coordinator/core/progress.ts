// What people see of a running job: its stored state and the trainers' last heartbeats, in one status. Volatile parts
// come from the heartbeats; nothing is decided by them.

import type { Heartbeat__Output } from '@thaw/proto/gen/thaw/v1/Heartbeat.ts';
import type { JobProgress } from '@thaw/proto/gen/thaw/v1/JobProgress.ts';
import type { JobStatus } from '@thaw/proto/gen/thaw/v1/JobStatus.ts';
import { epochsOf, stepsInEpoch, totalSteps } from './job-plan.ts';
import { withoutPause } from './standstill.ts';
import type { JobState } from './state.ts';

export function jobStatus(state: JobState, heartbeats: readonly Heartbeat__Output[], now: number): JobStatus {
  const { uid, plan, phase, reason, failure, generation, members } = state;
  return {
    uid,
    name: plan.name,
    state: phase,
    reason: failure?.code ?? reason,
    message: failure?.message ?? reason,
    jobDigest: plan.jobDigest,
    generation: generation?.number ?? 0,
    trainersReady: members.filter(({ ready }) => ready).length,
    trainersWanted: state.wanted,
    progress: jobProgress(state, heartbeats, now),
    weightsDigest: state.result?.weightsDigest ?? '',
  };
}

export function jobProgress(state: JobState, heartbeats: readonly Heartbeat__Output[], now: number): JobProgress {
  const { plan, cursor } = state;
  const stagePlan = plan.stages[cursor.stage];
  const stage = state.stages.at(-1);
  const step = currentStep(state, heartbeats);
  const lead = slowest(heartbeats);
  const validation = lastValidation(state);
  const ratio = doneRatio(state, step);
  const reused = reusedRatio(state);
  // Until training goes on, nobody has taken the pause out of the stage's times.
  const { stages } = state.phase === 'Gathering' ? withoutPause(state, now) : state;
  const own = stages.filter((one) => one.reused === null);
  const elapsed = own.reduce(
    (sum, { startedAt, endedAt }) => sum + Math.max(0, (endedAt ?? now) - startedAt) / 1000,
    0,
  );
  const lastEpoch = stage?.epochs.at(-1);
  const live = state.phase === 'Training' && lead !== null && lead.step >= cursor.step && lead.loss > 0;
  return {
    stage: cursor.stage,
    stages: plan.stages.length,
    stageName: stagePlan?.name ?? '',
    epochInStage: cursor.epochInStage,
    epochsInStage: stagePlan ? epochsOf(stagePlan) : 0,
    step,
    stepInEpoch: Math.max(0, step - epochStart(state) + 1),
    stepsInEpoch: stagePlan ? stepsInEpoch(stagePlan, cursor.epochInStage) : 0,
    phase: lead?.phase ?? '',
    phaseDone: heartbeats.reduce((sum, { done }) => sum + done, 0),
    phaseTotal: heartbeats.reduce((sum, { total }) => sum + total, 0),
    loss: live ? lead.loss : (lastEpoch?.loss ?? 0),
    accuracy: live ? lead.accuracy : (lastEpoch?.accuracy ?? 0),
    hasValidation: validation !== null,
    validationLoss: validation?.loss ?? 0,
    validationAccuracy: validation?.accuracy ?? 0,
    learningRate: live ? lead.learningRate : (lastEpoch?.learningRate ?? 0),
    samplesPerSecond: state.phase === 'Training' ? (lead?.samplesPerSecond ?? 0) : 0,
    remainingSeconds: ratio > reused ? (elapsed * (1 - ratio)) / (ratio - reused) : 0,
    ratio,
  };
}

/** The last step that somebody has applied, within the current directive. */
function currentStep({ cursor, directive }: JobState, heartbeats: readonly Heartbeat__Output[]): number {
  const last = directive && 'train' in directive.work ? directive.work.train.lastStep : cursor.step;
  return Math.min(last, Math.max(cursor.step, ...heartbeats.map(({ step }) => step)));
}

/** First step of the epoch that the cursor is in; only a stage's last epoch may be short. */
export function epochStart({ cursor, plan }: JobState): number {
  const stage = plan.stages[cursor.stage];
  return cursor.stageFirstStep + cursor.epochInStage * (stage?.stepsPerEpoch ?? 0);
}

/** The trainer that the others wait for. */
function slowest(heartbeats: readonly Heartbeat__Output[]): Heartbeat__Output | null {
  return heartbeats.reduce<Heartbeat__Output | null>(
    (least, one) => (!least || one.step < least.step ? one : least),
    null,
  );
}

function lastValidation({ stages }: JobState) {
  const evaluated = stages.flatMap(({ epochs }) => epochs).filter(({ validation }) => validation !== null);
  return evaluated.at(-1)?.validation ?? null;
}

/** What was done before this run. */
function reusedRatio({ plan, stages }: JobState): number {
  const steps = stages.map(({ reused, stage }) => (reused ? (plan.stages[stage]?.steps ?? 0) : 0));
  return steps.reduce((sum, count) => sum + count, 0) / totalSteps(plan);
}

/** Finished stages count in full, even when they ended early. */
function doneRatio(state: JobState, step: number): number {
  const { plan, cursor, phase } = state;
  if (phase === 'Succeeded' || phase === 'Exporting' || state.test) return 1;
  if (state.stages.length === 0) return 0;
  const before = plan.stages.slice(0, cursor.stage).reduce((sum, { steps }) => sum + steps, 0);
  return Math.min(1, (before + step - cursor.stageFirstStep + 1) / totalSteps(plan));
}
