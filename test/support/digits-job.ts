// The digits on the pretrained MobileNetV2 of an installed package, prepared from a job file as the coordinator does:
// the real network that tests of the arithmetic train.

import os from 'node:os';
import { blockSize } from '@thaw/common/data/block-size.ts';
import { cacheDirectory } from '@thaw/common/environment/cache-directory.ts';
import { prepareJob } from '@thaw/coordinator/prepare/prepare-job.ts';
import type { PreparedJob } from '@thaw/coordinator/prepare/prepared-job.ts';
import { createPixelSource, type PixelSource } from '@thaw/trainer/data/pixel-source.ts';

export interface DigitsJobOptions {
  /** Extra lines of `spec.train`, without indentation. */
  readonly train?: readonly string[];
  readonly microBatch?: number;
  readonly shards?: number;
}

/** Stage 0 trains the head, stage 1 the last two blocks as well. */
export function digitsJob({ train = [], microBatch = 16, shards = 2 }: DigitsJobOptions = {}): Promise<PreparedJob> {
  const jobText = `
apiVersion: thaw.dev/v1alpha1
kind: FineTuneJob
metadata: {name: digits}
spec:
  task: imageClassification
  model:
    source: example:nsfwjs-mobilenet-v2
    input: {size: 96}
    head: [{globalAveragePooling: {}}, {dropout: {rate: 0.2}}]
  data: {source: example:mnist-digits, shards: ${shards}}
  train:
    microBatch: ${microBatch}
    optimizer: {sgd: {learningRate: 0.01}}
${train.map((line) => `    ${line}`).join('\n')}
    schedule:
      stages:
        - {name: head, trainable: [head/**], epochs: 1}
        - {name: blocks, trainable: [head/**, last(2)], epochs: 1}
  trainers: {replicas: 1, max: ${shards}}
`;
  return prepareJob({
    jobText,
    fileName: 'digits.yaml',
    baseDir: os.tmpdir(),
    cacheDirectory: cacheDirectory(process.env),
  });
}

export function pixelsOf({ job, manifest, dataRoot }: PreparedJob): PixelSource {
  return createPixelSource({
    manifest,
    root: dataRoot,
    preprocessing: job.model.preprocessing,
    augment: job.data.augment,
    seed: job.train.seed,
    blockSize,
    onBad(samples) {
      throw new Error(samples.map(({ id, reason }) => `${id}: ${reason}`).join('\n'));
    },
  });
}
