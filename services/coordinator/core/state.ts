// Everything the coordinator knows about a job that must outlive it: stored after each decision, before anything leaves.
// Plain JSON, small (under stateBytesMax), without clocks and without anything that a trainer says again by itself:
// results of the current directive are in `pending`, which is not stored, because a trainer repeats its report.

import type { Digest } from '@thaw/common/content/digest.ts';
import type { PerSet, SetName } from '@thaw/common/data/manifest.ts';
import type { ErrorCode } from '@thaw/common/errors/catalogue.ts';
import type { EngineClass__Output } from '@thaw/proto/gen/thaw/v1/EngineClass.ts';
import type { EpochSums__Output } from '@thaw/proto/gen/thaw/v1/EpochSums.ts';
import type { OutboxEvent } from './event-log.ts';
import type { FeatureGain } from './feature-gain.ts';
import type { JobPlan } from './job-plan.ts';
import type { PlateauState } from './judge.ts';
import type { Pending } from './pending.ts';
import type { RestorePoint } from './snapshot.ts';
import type { OpenPlan } from './snapshots.ts';

export const jobStateVersion = 3;

export const phases = [
  'Gathering',
  'Training',
  'Evaluating',
  'Storing',
  'Exporting',
  'Succeeded',
  'Failed',
  'Cancelled',
] as const;
export type Phase = (typeof phases)[number];

export interface JobState {
  readonly version: typeof jobStateVersion;
  readonly uid: string;
  /** 16 hex digits; stands first in every frame of the collective. */
  readonly runToken: string;
  readonly term: number;
  /** 16 hex digits, drawn by each coordinator process: whose write a stored state is, even where two claim one term. */
  readonly reign: string;
  /** Counts the stored states of this reign. */
  readonly write: number;
  readonly plan: JobPlan;
  /** When the job began, milliseconds since 1970; later by the time in which it stood still. */
  readonly startedAt: number;
  readonly phase: Phase;
  /** Why the job is in this phase, in words. */
  readonly reason: string;
  readonly failure: JobFailure | null;
  /** Trainers that the job is to have; how many are there, and train, is another matter. */
  readonly wanted: number;
  /** Accepted trainers, sorted by incarnation: those that train are in the generation, the others wait to be taken in. */
  readonly members: readonly Member[];
  /** Set by the first trainer that got ready; the others must equal it. */
  readonly engine: JobEngine | null;
  /** The search for stages that were trained before is over; training waits for it. */
  readonly reuseKnown: boolean;
  readonly generation: Generation | null;
  readonly directive: DirectiveState | null;
  /** Highest revision so far; it grows over resumes too. */
  readonly directivesIssued: number;
  readonly cursor: Cursor;
  readonly stages: readonly StageRecord[];
  /** The newest stored state; what trainers hold, if its epoch is the cursor's. */
  readonly held: StoredState | null;
  /** Where the job can go on from, newest first. */
  readonly restorePoints: readonly RestorePoint[];
  readonly openPlan: OpenPlan | null;
  /** Highest number so far; it grows over resumes too. */
  readonly plansIssued: number;
  readonly resumed: ResumeRecord;
  /** A step that some trainer has reached, as of the last second: tells what a crash cost, decides nothing. */
  readonly reachedStep: number;
  /** Why the job ends as soon as a snapshot is stored; null while nobody asked. */
  readonly stopping: string | null;
  readonly badSamples: BadSamples;
  /** Of a job that asks for it, once it is fitted. */
  readonly calibration?: Calibration;
  /** How well the source does its old task before anything is trained; absent without retention. */
  readonly oldTask?: Metrics;
  readonly test: TestResult | null;
  readonly result: { readonly weightsDigest: string } | null;
  /** Of what trainers reported; absent before the first report. */
  readonly featureGain?: FeatureGain;
  readonly eventSequence: number;
  readonly outbox: readonly OutboxEvent[];
  readonly pending: Pending;
}

export interface ResumeRecord {
  readonly times: number;
  /** Steps that were done before a stop, and again after it. */
  readonly stepsRedone: number;
  /** What the epoch is taken up with, until it is trained: the stored state, and the sums up to it. */
  readonly at: { readonly state: Digest; readonly sums: EpochSums__Output; readonly stoppedAt: number } | null;
}

export interface JobEngine {
  readonly engineClass: EngineClass__Output;
  readonly probeDigest: string;
  /** The part of the probe that each stage depends on; empty where trainers do not say. */
  readonly stageProbeDigests: readonly string[];
}

/** What a job came to, in a terminal phase; `failure` where it failed. */
export type JobEnd = Pick<JobState, 'phase' | 'failure'>;

export interface JobFailure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly trainer?: string;
  readonly stage?: number;
  readonly step?: number;
  readonly tensor?: string;
}

export interface Member {
  readonly incarnation: string;
  readonly name: string;
  readonly pid: number;
  readonly ready: boolean;
  readonly metricsPort: number;
}

export interface Generation {
  readonly number: number;
  readonly members: readonly { readonly incarnation: string; readonly name: string }[];
  /** shardOwners[shard] = index into members. */
  readonly shardOwners: readonly number[];
  readonly firstStep: number;
}

export interface DirectiveState {
  /** Never reused within a job. */
  readonly revision: number;
  readonly work: Work;
}

export type Work =
  | { readonly kind: 'train'; readonly train: TrainWork }
  | ({ readonly kind: 'halt' } & Interrupted)
  /** One who holds the state stores it for those of `train.restoring`; training goes on with it. */
  | ({ readonly kind: 'handOver'; readonly member: number } & Interrupted)
  | {
      readonly kind: 'evaluate';
      readonly stage: number;
      readonly epoch: number;
      /** retention: with the source's own classifier on the backbone as it is now. */
      readonly split: EvaluatedSet;
      readonly partOwners: readonly number[];
      readonly restoreDigest: string;
      /** Empty but for the fit of the temperature and the test after it. */
      readonly temperatures: readonly number[];
    }
  | { readonly kind: 'store'; readonly member: number; readonly scheduleState: string; readonly isBest: boolean }
  | { readonly kind: 'rank'; readonly stage: number; readonly step: number; readonly restoreDigest: string }
  | { readonly kind: 'finish'; readonly outcome: string; readonly reason: string };

export type EvaluatedSet = 'validation' | 'test' | 'retention';

/** Training that stands still until its members are the wanted ones. */
export interface Interrupted {
  /** In words. */
  readonly reason: string;
  /** What was, or is to be, trained. */
  readonly train: TrainWork;
  /** Incarnations that were told to train it: what others hold proves nothing. */
  readonly from: readonly string[];
}

export interface TrainWork {
  readonly stage: number;
  readonly epoch: number;
  readonly firstStep: number;
  readonly lastStep: number;
  readonly stageFirstStep: number;
  readonly restoreDigest: string;
  /** Incarnations that restore; the others hold that state. Empty: all do, where there is something to restore. */
  readonly restoring: readonly string[];
  readonly resetOptimizer: boolean;
  /** Before `firstStep` when the epoch is taken up again in its middle. */
  readonly epochFirstStep: number;
  readonly soFar: EpochSums__Output | null;
  /** Who stores the snapshot of the epoch's end. */
  readonly snapshotMember: number;
}

/** Where the job is. Steps count from 1 over the whole job, epochs and stages from 0. */
export interface Cursor {
  readonly stage: number;
  readonly epochInStage: number;
  readonly epoch: number;
  /** Last step that every member has applied. */
  readonly step: number;
  readonly stageFirstStep: number;
  readonly epochStartedAt: number;
}

export interface StoredState {
  readonly digest: Digest;
  readonly bytes: number;
  /** Job-global, at whose end it was; sourceEpoch for what training begins with. */
  readonly epoch: number;
}

/** Before the first one. */
export const sourceEpoch = -1;

/** Why a stage was undone. Shares of one, as in the job. */
export interface RolledBack {
  readonly drop: number;
  readonly maxDrop: number;
  /** Job-global, whose state is in force again; null: the source's. */
  readonly toEpoch: number | null;
}

export interface StageRecord {
  readonly stage: number;
  /** What its result is kept under, for other jobs. */
  readonly key: Digest;
  /** The job that has trained it, when it was not this one; its times and figures are of then. */
  readonly reused: { readonly job: string; readonly uid: string } | null;
  readonly startedAt: number;
  readonly endedAt: number | null;
  /** Why it ended, in words. */
  readonly ended: string | null;
  readonly firstStep: number;
  readonly steps: number;
  readonly epochsDone: number;
  /** The newest ones, and the best; older ones are in the event log only (epochsKeptMax). */
  readonly epochs: readonly EpochRecord[];
  readonly plateau: PlateauState | null;
  /** What it began with, in jobs that may have to go back to it. */
  readonly entry?: StoredState;
  /** Of a stage that was undone: its figures are what it found, its states are gone. */
  readonly rolledBack?: RolledBack;
  /** Measured with its best weights, where a stage to come asks for it. */
  readonly ranking?: Ranking;
  /** Best epoch of this stage so far; `stored` follows as soon as a member has stored it. */
  readonly best: { readonly epoch: number; readonly value: number; readonly stored: StoredState | null } | null;
}

export interface Ranking {
  readonly samples: number;
  /** First to thaw first. */
  readonly blocks: readonly RankedBlock[];
}

/** Euclidean norms: of the mean gradient over all samples, of the weights, and their ratio. */
export interface RankedBlock {
  readonly block: string;
  readonly gradient: number;
  readonly weights: number;
  readonly ratio: number;
}

export interface EpochRecord {
  readonly epoch: number;
  readonly steps: number;
  readonly loss: number;
  readonly penalty: number;
  readonly accuracy: number;
  readonly learningRate: number;
  readonly stepsSkipped: number;
  readonly trainSeconds: number;
  readonly seconds: StepParts;
  readonly reducedBytes: number;
  readonly stateDigest: string;
  readonly validation: Metrics | null;
  /** How well the old task is still done; absent without retention. */
  readonly retention?: Retention;
}

export interface Retention {
  readonly accuracy: number;
  readonly loss: number;
  /** What the accuracy was before the job less what it is now; below 0 when it rose. */
  readonly drop: number;
}

/** Largest over the members, in seconds. */
export interface StepParts {
  readonly data: number;
  readonly features: number;
  readonly compute: number;
  readonly exchange: number;
  readonly apply: number;
}

export interface Metrics {
  readonly loss: number;
  readonly accuracy: number;
  readonly macroF1: number;
  /** Area under the ROC curve, one class against the rest, mean over the classes. */
  readonly auc: number;
  /** Share of the samples whose class is among the five most probable; absent up to five classes. */
  readonly top5?: number;
  readonly count: number;
}

export interface ClassMetrics {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  readonly support: number;
}

export interface TestResult extends Metrics {
  readonly badSamples: number;
  readonly stage: number;
  readonly epoch: number;
  /** Cross-entropy at the fitted temperature and at 1, whatever the job's loss is. */
  readonly crossEntropy?: { readonly tempered: number; readonly plain: number };
}

/** The temperature that divides the logits, fitted on the validation set with the chosen weights. */
export interface Calibration {
  readonly temperature: number;
  /** Validation samples that it was fitted on; without any it is 1. */
  readonly samples: number;
}

export interface BadSamples {
  readonly counts: PerSet<number>;
  /** The first ones, up to badSamplesListedMax. */
  readonly listed: readonly { readonly split: SetName; readonly id: string; readonly reason: string }[];
}

export const terminalPhases: readonly Phase[] = ['Succeeded', 'Failed', 'Cancelled'];

export function isTerminal({ phase }: Pick<JobState, 'phase'>): boolean {
  return terminalPhases.includes(phase);
}

/** Trainers are needed no more. */
export function isDone({ phase }: Pick<JobState, 'phase'>): boolean {
  return isTerminal({ phase }) || phase === 'Exporting';
}

/** The stage that the cursor is in. */
export function currentStage(state: JobState): StageRecord {
  return state.stages.at(-1) as StageRecord;
}
