// Seconds of every epoch of the guides' listing (frozen VGG16, pooling, softmax) beside Keras' own `fit`, which reads the
// same JPEG files as its guide says. Keras computes the frozen network in every epoch, Thaw once. Two trainers of one thread
// against Keras with all cores: on a machine with more than two, start it under `taskset -c 0,1`.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pythonWith } from '../support/python.ts';
import { weightsFile, writeBenchJob } from './bench-job.ts';
import type { BenchmarkOptions, Print } from './benchmark.ts';
import { runPeer } from './peer.ts';
import { writePictures } from './pictures.ts';
import { timedRun } from './thaw-run.ts';

export interface EpochTimeResult {
  readonly peer: string;
  readonly images: number;
  readonly size: number;
  /** Training and validation, by epoch. */
  readonly thawSeconds: readonly number[];
  readonly peerSeconds: readonly number[];
  /** Thaw's first epoch over the peer's. */
  readonly firstRatio: number;
  /** The same for the mean of the later ones. */
  readonly laterRatio: number;
  /** Before the first epoch: processes, model, proofs. */
  readonly thawStartSeconds: number;
  readonly thawAccuracy: number;
  readonly peerAccuracy: number;
}

const [shards, microBatch] = [4, 8];

export async function benchEpochTime(options: BenchmarkOptions, print: Print): Promise<EpochTimeResult[]> {
  const python = await pythonWith(['tensorflow-cpu==2.21.0', 'keras==3.15.1', 'safetensors==0.8.0']);
  if (typeof python === 'string') throw new Error(python);
  const results: EpochTimeResult[] = [];
  for (const size of options.sizes ?? [224]) {
    const folder = await mkdtemp(path.join(tmpdir(), 'thaw-epochs-'));
    try {
      results.push(await measure(folder, { ...options, size }, python));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  for (const line of results.flatMap(linesOf)) print(line);
  return results;
}

type Python = Exclude<Awaited<ReturnType<typeof pythonWith>>, string>;

async function measure(
  folder: string,
  { images = 256, epochs = 4, size }: BenchmarkOptions & { readonly size: number },
  python: Python,
): Promise<EpochTimeResult> {
  const { classes } = await writePictures(folder, images);
  const stages = [{ name: 'head', blocks: [], epochs, learningRate: 1e-3 }];
  await writeBenchJob(folder, { network: 'vgg16', size, stages, shards, microBatch });
  const peer = await runPeer<{ seconds: number[]; accuracy: number; version: string }>(
    python,
    'keras/epochs.py',
    folder,
    {
      ...{ pictures: folder, weights: weightsFile(folder), classes: classes.length },
      ...{ size, epochs, batch: shards * microBatch },
    },
  );
  const { epochSeconds, startSeconds, accuracy } = await timedRun(folder);
  const [thawSeconds = []] = epochSeconds;
  return {
    ...{ peer: `Keras ${peer.version}`, images, size, thawSeconds, peerSeconds: peer.seconds },
    firstRatio: (thawSeconds[0] as number) / (peer.seconds[0] as number),
    laterRatio: meanOf(thawSeconds.slice(1)) / meanOf(peer.seconds.slice(1)),
    ...{ thawStartSeconds: startSeconds, thawAccuracy: accuracy, peerAccuracy: peer.accuracy },
  };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function linesOf(result: EpochTimeResult): string[] {
  const { peer, images, size, thawSeconds, peerSeconds, firstRatio, laterRatio } = result;
  const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;
  return [
    `VGG16 at ${size}, frozen; ${images} JPEG files; seconds of training and validation`,
    `epoch   ${peer.padEnd(14)} Thaw   Thaw / Keras`,
    ...thawSeconds.map((seconds, epoch) => {
      const other = peerSeconds[epoch] as number;
      const columns = [String(epoch + 1).padStart(5), other.toFixed(2).padStart(17), seconds.toFixed(2).padStart(8)];
      return `${columns.join('')} ${(seconds / other).toFixed(3).padStart(11)}`;
    }),
    `first ${firstRatio.toFixed(2)}, later ${laterRatio.toFixed(3)}; Thaw's processes and proofs before it ` +
      `${result.thawStartSeconds.toFixed(1)} s; accuracy ${percent(result.thawAccuracy)}, Keras ${percent(result.peerAccuracy)}`,
  ];
}
