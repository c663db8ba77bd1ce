// A job over benchmark pictures: what Thaw runs, and the weights that it starts from, in a file for the peer.

import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { cacheDirectory } from '@thaw/common/environment/cache-directory.ts';
import { writeSafetensors } from '@thaw/common/tensors/safetensors.ts';
import { prepareJob } from '@thaw/coordinator/prepare/prepare-job.ts';
import type { PreparedJob } from '@thaw/coordinator/prepare/prepared-job.ts';
import { stringify } from 'yaml';

/** Networks that both sides have; `blocks` are those of test/bench/torch/networks.py. */
export const networks = {
  vgg16: { source: 'builtin:vgg16', weights: { source: 'example:vgg16-imagenet' } },
  mobilenetV2: { source: 'example:nsfwjs-mobilenet-v2' },
} as const;
export type NetworkName = keyof typeof networks;

export interface BenchStage {
  readonly name: string;
  /** Blocks that train beside the head, by how their layers' names begin. */
  readonly blocks: readonly string[];
  readonly epochs: number;
  readonly learningRate: number;
}

export interface BenchJob {
  readonly network: NetworkName;
  /** Height and width. */
  readonly size: number;
  readonly stages: readonly BenchStage[];
  readonly shards: number;
  readonly microBatch: number;
}

/** Written beside the sets of pictures, with the weights that it starts from. */
export async function writeBenchJob(folder: string, job: BenchJob): Promise<PreparedJob> {
  const jobText = stringify({
    apiVersion: 'thaw.dev/v1alpha1',
    kind: 'FineTuneJob',
    metadata: { name: 'bench' },
    spec: {
      task: 'imageClassification',
      model: { ...networks[job.network], input: { size: job.size } },
      data: {
        source: 'file:.',
        split: { folders: { train: 'file:train', validation: 'file:validation', test: 'file:test' } },
        shards: job.shards,
      },
      train: {
        seed: 7,
        microBatch: job.microBatch,
        optimizer: { adam: { learningRate: 1e-3 } },
        schedule: { stages: job.stages.map(stageOf) },
      },
      trainers: { replicas: 2, min: 1, max: 2 },
      output: { weights: 'last' },
    },
  });
  await writeFile(path.join(folder, 'job.yaml'), jobText);
  const cache = cacheDirectory(process.env);
  const prepared = await prepareJob({ jobText, fileName: 'job.yaml', baseDir: folder, cacheDirectory: cache });
  await writeFile(weightsFile(folder), writeSafetensors(prepared.weights));
  return prepared;
}

export function weightsFile(folder: string): string {
  return path.join(folder, 'start.safetensors');
}

function stageOf({ name, blocks, epochs, learningRate }: BenchStage): object {
  const trainable = ['head/**', ...blocks.map((block) => `backbone/${block}*`)];
  return { name, trainable, epochs, learningRate, optimizerState: 'reset' };
}
