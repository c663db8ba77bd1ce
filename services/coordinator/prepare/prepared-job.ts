// A job ready to be served: everything found out from its file, its model and its data, in memory.

import type { Digest } from '@thaw/common/content/digest.ts';
import type { DataManifest } from '@thaw/common/data/manifest.ts';
import type { ResolvedJob, ResolvedStage } from '@thaw/common/job/resolved-job.ts';
import type { StageStatistics } from '@thaw/common/model/batch-statistics.ts';
import type { Graph, Partition, WeightSpec, Weights } from '@thaw/common/model/graph.ts';
import type { JobPlan, StagePlan } from '../core/job-plan.ts';

export interface PreparedJob {
  readonly job: ResolvedJob;
  readonly jobDigest: Digest;
  readonly modelDigest: Digest;
  /** Where the pretrained model comes from, in a sentence. */
  readonly origin: string;
  readonly graph: Graph;
  /** The source's network with its own classifier; absent without retention. */
  readonly oldGraph?: Graph;
  /** Source values of the backbone and the seeded head, and of the old classifier where it is kept. */
  readonly weights: Weights;
  readonly manifest: DataManifest;
  readonly dataRoot: string;
  readonly stages: readonly PreparedStage[];
  /** What the core needs; artifacts get their digests when they are stored. */
  readonly plan: Omit<JobPlan, 'artifacts'>;
}

export interface PreparedStage {
  readonly stage: ResolvedStage;
  readonly plan: StagePlan;
  /** Of a stage that trains ranked blocks: with the largest ones, and its partition is that of all blocks. */
  readonly trainable: readonly WeightSpec[];
  readonly layers: readonly string[];
  readonly statistics: StageStatistics;
  readonly partition: Partition;
  /** What the user must not overlook, a sentence each. */
  readonly warnings: readonly string[];
}
