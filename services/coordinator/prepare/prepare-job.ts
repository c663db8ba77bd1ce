// From a job file to everything that training needs: the resolved job, its network with the seeded head, the data
// manifest, and each stage's size. Starts nothing and writes nothing, so `thaw plan` and `thaw validate` use it too.
// Every problem a user can cause is found here.

import { type Digest, digestOfJson } from '@thaw/common/content/digest.ts';
import { blockSize } from '@thaw/common/data/block-size.ts';
import { evaluationParts } from '@thaw/common/data/evaluation-parts.ts';
import type { DataManifest } from '@thaw/common/data/manifest.ts';
import { shardTrainSet } from '@thaw/common/data/shards.ts';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { jobDigest } from '@thaw/common/job/job-digest.ts';
import { parseJobFile } from '@thaw/common/job/parse.ts';
import { resolveJob } from '@thaw/common/job/resolve.ts';
import type { ResolvedJob, ResolvedStage } from '@thaw/common/job/resolved-job.ts';
import type { Graph, Partition, WeightSpec, Weights } from '@thaw/common/model/graph.ts';
import { initialHeadWeights, replaceHead } from '@thaw/common/model/head.ts';
import { partitionFor } from '@thaw/common/model/partition.ts';
import { selectTrainable } from '@thaw/common/model/select.ts';
import { stepsPerEpoch } from '@thaw/common/schedule/steps.ts';
import type { JobPlan, StagePlan } from '../core/job-plan.ts';
import { indexDataSet } from './data-source/index-data-set.ts';
import { openModelSource } from './model-source/open-model-source.ts';

export interface PrepareOptions {
  readonly jobText: string;
  /** Named in error messages. */
  readonly fileName: string;
  /** Relative `file:` sources start here. */
  readonly baseDir: string;
  readonly overrides?: { readonly trainers?: number };
}
