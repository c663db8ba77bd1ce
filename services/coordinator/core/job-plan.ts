// What the core has to know about the job, worked out once by prepare/ and never changed: how many shards, how long
// each stage may be, what its rules are. No path, no tensor, no pixel.

import type { PerSet } from '@thaw/common/data/manifest.ts';
import type { AdvanceRule, Metric } from '@thaw/common/job/resolved-job.ts';

export interface JobPlan {
  readonly name: string;
  readonly jobDigest: string;
  /** Digests that a trainer fetches: the resolved job, the graph, the manifest, the weights. */
  readonly artifacts: PlanArtifacts;
  /** Digest of what can change a stage's result, apart from the stages, the samples and the artifacts. */
  readonly facts: string;
  /** Of the samples: which there are, what they hold, which set they belong to. */
  readonly dataDigest: string;
  /** V. */
  readonly shards: number;
  readonly classes: readonly string[];
  /** Trainers that the job begins with; how many it wants can be changed while it runs. */
  readonly replicas: number;
  /** With fewer, training waits. */
  readonly trainersMin: number;
  readonly trainersMax: number;
  readonly stages: readonly StagePlan[];
  readonly samples: PerSet<number>;
  /** Number of evaluation parts; it belongs to the job, whoever computes them. */
  readonly parts: { readonly validation: number; readonly test: number; readonly retention?: number };
  /** Fraction of a set. */
  readonly maxBadSamples: number;
  readonly weights: 'best' | 'last';
  /** Seconds between two snapshots within an epoch. */
  readonly snapshotSeconds: number;
  /** Absent in plans of jobs that say nothing of it. */
  readonly calibrate?: 'temperature';
  /** What the user must not overlook, a sentence each. */
  readonly warnings?: readonly string[];
  /** Absent in jobs that keep no eye on the old task. */
  readonly retention?: RetentionPlan;
}

export interface RetentionPlan {
  /** Of the source's own classifier. */
  readonly classes: number;
  /** A stage ends when the old task's accuracy has fallen by more; null: it is only watched. */
  readonly maxDrop: number | null;
  /** What becomes of that stage: it keeps its best epoch from before, or it is undone. */
  readonly onExceed: 'stop' | 'rollback';
}

export interface PlanArtifacts {
  readonly job: string;
  readonly graph: string;
  /** The source's network with its own classifier; absent without retention. */
  readonly oldGraph?: string;
  readonly manifest: string;
  readonly weights: readonly string[];
  /** Folder that the manifest's relative paths start from. */
  readonly dataRoot: string;
}

export interface StagePlan {
  readonly name: string;
  /** Digest of what can change the stage's result and is its own. */
  readonly facts: string;
  readonly stepsPerEpoch: number;
  /** Upper bound on the stage's steps; its last epoch may be a short one. */
  readonly steps: number;
  readonly advanceOn: AdvanceRule | null;
  /** What "best epoch" means in this stage. */
  readonly metric: Metric;
  readonly optimizerState: 'keep' | 'reset';
  readonly onEnter: 'continue' | 'restoreBest';
  /** How many blocks of the measured order it trains; absent where it asks for none. */
  readonly ranked?: number;
}

export function epochsOf({ steps, stepsPerEpoch }: StagePlan): number {
  return Math.ceil(steps / stepsPerEpoch);
}

/** Steps of one epoch of a stage; only the last one may be short. */
export function stepsInEpoch(stage: StagePlan, epochInStage: number): number {
  return Math.min(stage.stepsPerEpoch, stage.steps - epochInStage * stage.stepsPerEpoch);
}

/** Upper bound over the whole job. */
export function totalSteps({ stages }: JobPlan): number {
  return stages.reduce((sum, { steps }) => sum + steps, 0);
}
