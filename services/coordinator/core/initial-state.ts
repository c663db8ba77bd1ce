// The state of a job nobody has worked on yet.

import type { JobPlan } from './job-plan.ts';
import { nothingPending } from './pending.ts';
import { type JobState, jobStateVersion } from './state.ts';

export interface JobIdentity {
  readonly uid: string;
  /** 64 random bits, hex. */
  readonly runToken: string;
  /** 64 random bits, hex; the coordinator process's own. */
  readonly reign: string;
  readonly term: number;
}

export function initialState(plan: JobPlan, identity: JobIdentity): JobState {
  return {
    version: jobStateVersion,
    ...identity,
    write: 0,
    plan,
    startedAt: 0,
    phase: 'Gathering',
    reason: `0 of ${plan.replicas} trainers ready`,
    failure: null,
    wanted: plan.replicas,
    members: [],
    engine: null,
    reuseKnown: false,
    generation: null,
    directive: null,
    directivesIssued: 0,
    cursor: { stage: 0, epochInStage: 0, epoch: 0, step: 0, stageFirstStep: 1, epochStartedAt: 0 },
    stages: [],
    held: null,
    restorePoints: [],
    openPlan: null,
    plansIssued: 0,
    resumed: { times: 0, stepsRedone: 0, at: null },
    reachedStep: 0,
    stopping: null,
    badSamples: { counts: { train: 0, validation: 0, test: 0 }, listed: [] },
    test: null,
    result: null,
    eventSequence: 0,
    outbox: [],
    pending: nothingPending,
  };
}
