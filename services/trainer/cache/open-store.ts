// The cache of one trainer: how much it may take, and where. What the job says goes; what it leaves open follows from the
// machine, which can change how long a job takes and nothing else.

import { mkdirSync, statfsSync } from 'node:fs';
import path from 'node:path';
import type { Logger } from '@thaw/common/log/logger.ts';
import type { JobContext } from '../train/job-context.ts';
import { diskRows } from './disk-rows.ts';
import type { FeatureCounts } from './feature-counts.ts';
import { type FeatureStore, featureStore } from './feature-store.ts';
import { memoryRows } from './memory-rows.ts';
import { featureFolder } from './pack-folder.ts';
import { sampleKeys } from './sample-key.ts';

export interface StoreOptions {
  readonly context: Pick<JobContext, 'job' | 'manifest'>;
  /** Memory where the job says nothing. */
  readonly memoryBytes: number;
  readonly cacheDirectory: string;
  readonly counts: FeatureCounts;
  readonly log: Pick<Logger, 'warn' | 'info'>;
}

const diskBytesDefault = 10 * 2 ** 30;
const freeShareDefault = 0.25;

export function openFeatureStore({ context, cacheDirectory, counts, log, ...defaults }: StoreOptions): FeatureStore {
  const { job, manifest } = context;
  const { memoryBytes = defaults.memoryBytes, diskBytes } = job.trainers.cache ?? {};
  const root = path.join(cacheDirectory, featureFolder);
  const budgetBytes = diskBytes ?? diskDefault(root, log);
  const keyOf = sampleKeys({ manifest, data: job.data, seed: job.train.seed });
  const disk = budgetBytes === 0 ? null : diskRows({ root, budgetBytes, keyOf, counts, log, now: () => new Date() });
  return featureStore(memoryRows(memoryBytes), disk);
}

function diskDefault(root: string, log: Pick<Logger, 'warn'>): number {
  try {
    mkdirSync(root, { recursive: true });
    const { bavail, bsize } = statfsSync(root);
    return Math.min(diskBytesDefault, Math.floor(bavail * bsize * freeShareDefault));
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    log.warn({ root }, `the feature cache keeps nothing on disk: ${reason}; the job goes on without`);
    return 0;
  }
}
