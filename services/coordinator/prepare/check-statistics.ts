// Whether a stage's batch statistics can be measured as the job deals its samples: refused where one would be of a
// single sample, warned of where it is of few.

import { blockSize } from '@thaw/common/data/block-size.ts';
import { shardSize } from '@thaw/common/data/shards.ts';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { ResolvedStage } from '@thaw/common/job/resolved-job.ts';
import type { StageStatistics } from '@thaw/common/model/batch-statistics.ts';
import { stepsPerEpoch } from '@thaw/common/schedule/steps.ts';
import { fitsAnnouncement } from '@thaw/proto/frames/announcement.ts';

export interface MeasuredStage {
  readonly stage: Pick<ResolvedStage, 'name' | 'batchNorm' | 'microBatch'>;
  readonly statistics: StageStatistics;
  /** Trainable tensors, which are announced beside the statistics. */
  readonly tensors: number;
  readonly shards: number;
  readonly trainSamples: number;
  readonly views: number;
}

/** Normalising by fewer samples works and is noisy; Wu and He (2018) see errors grow below 16. */
const samplesAdvised = 8;

/** Throws JobInvalid; returns warnings. */
export function checkStatistics(measured: MeasuredStage): string[] {
  const { stage, statistics, tensors } = measured;
  const numbers = Math.max(statistics.moved.length, statistics.adapted.length);
  if (numbers === 0) return [];
  if (!fitsAnnouncement({ tensors, statistics: numbers })) {
    throw refused(
      `found ${stage.batchNorm} for ${numbers / 2} channels, more than one announcement holds; expected less`,
    );
  }
  const fewest = fewestSamples(measured);
  if (fewest < 2) {
    const fix = stage.batchNorm === 'train' ? 'a larger microBatch, or fewer shards' : 'fewer shards';
    throw refused(
      `found ${stage.batchNorm} where a shard gives single samples, which have no variance; expected at least 2 at a time: ${fix}`,
    );
  }
  if (stage.batchNorm === 'adapt' || fewest >= samplesAdvised) return [];
  return [
    `stage "${stage.name}" normalises by as few as ${fewest} samples at a time (batchNorm: train works on each shard's ` +
      `micro-batch); ${samplesAdvised} and more give steadier statistics: raise microBatch, lower data.shards, or keep batchNorm: frozen`,
  ];
}

/** Fewest samples that any shard normalises at once, of those that have any. */
function fewestSamples({ stage, shards, trainSamples, views }: MeasuredStage): number {
  const sizes = Array.from({ length: shards }, (_, shard) => shardSize(trainSamples, shards, shard)).filter(
    (size) => size > 0,
  );
  const steps = stepsPerEpoch(sizes, stage.microBatch);
  const batches = (size: number): [samples: number, batches: number] =>
    stage.batchNorm === 'train' ? [size, steps] : [size * views, Math.ceil((size * views) / blockSize)];
  return Math.min(
    ...sizes.map((size) => {
      const [samples, count] = batches(size);
      return Math.max(1, Math.floor(samples / count));
    }),
  );
}

function refused(what: string): ThawError {
  return new ThawError('JobInvalid', `batchNorm: ${what}`, { data: { field: 'batchNorm' } });
}
