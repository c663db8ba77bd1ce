// Wall time from files to a tested network: the same network, weights, JPEG files, stages, epochs and batches in
// `thaw run` with two trainers and in PyTorch's usual staged script with two processes (DistributedDataParallel over
// gloo, torchvision's ImageFolder). Start, training, validation and test count on both sides. On a machine with more than
// two cores start it under `taskset -c 0,1`. One run each: it does not measure the noise of a machine.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Python } from '../support/python.ts';
import { torchPython } from '../support/torch.ts';
import { type BenchStage, type NetworkName, weightsFile, writeBenchJob } from './bench-job.ts';
import { type BenchmarkOptions, chosenCases, type Print } from './benchmark.ts';
import { freePort, runPeer } from './peer.ts';
import { writePictures } from './pictures.ts';
import { timedRun } from './thaw-run.ts';

export interface TimeToResult {
  readonly network: NetworkName;
  readonly size: number;
  readonly images: number;
  readonly peer: string;
  readonly thawSeconds: number;
  readonly peerSeconds: number;
  /** Thaw's time over the peer's. */
  readonly ratio: number;
  /** By stage, without start and test. */
  readonly thawStageSeconds: readonly number[];
  readonly peerStageSeconds: readonly number[];
  /** Of Thaw before the first stage. */
  readonly thawStartSeconds: number;
  readonly thawAccuracy: number;
  readonly peerAccuracy: number;
}

interface Case {
  readonly network: NetworkName;
  readonly size: number;
  readonly stages: readonly BenchStage[];
}

const processes = 2;
const [shards, microBatch] = [4, 8];

export async function benchTimeToResult(options: BenchmarkOptions, print: Print): Promise<TimeToResult[]> {
  const python = await torchPython();
  if (typeof python === 'string') throw new Error(python);
  const { images = 256 } = options;
  const chosen = chosenCases(casesOf(options), options);
  const results: TimeToResult[] = [];
  print('network        size  images   PyTorch s    Thaw s   Thaw / PyTorch   accuracy: PyTorch    Thaw');
  for (const one of chosen) {
    const folder = await mkdtemp(path.join(tmpdir(), 'thaw-result-'));
    try {
      const result = await measure(folder, one, { images, workers: options.workers ?? 1, python });
      for (const line of linesOf(result)) print(line);
      results.push(result);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  return results;
}

function casesOf({ epochs }: BenchmarkOptions): Case[] {
  const head = { name: 'head', blocks: [], learningRate: 1e-3 };
  const half = epochs === undefined ? 5 : Math.ceil(epochs / 2);
  const vgg16: readonly BenchStage[] = [
    { ...head, epochs: epochs ?? 10 },
    { name: 'block5', blocks: ['block5'], epochs: half, learningRate: 1e-4 },
  ];
  const mobilenet: readonly BenchStage[] = [
    { ...head, epochs: half },
    { name: 'last', blocks: ['Conv_1', 'block_16'], epochs: half, learningRate: 1e-4 },
    { name: 'more', blocks: ['Conv_1', 'block_16', 'block_15'], epochs: half, learningRate: 1e-4 },
  ];
  return [
    { network: 'vgg16', size: 224, stages: vgg16 },
    { network: 'mobilenetV2', size: 96, stages: mobilenet },
    { network: 'mobilenetV2', size: 224, stages: mobilenet },
  ];
}

interface Measuring {
  readonly images: number;
  readonly workers: number;
  readonly python: Python;
}

async function measure(
  folder: string,
  { network, size, stages }: Case,
  { images, workers, python }: Measuring,
): Promise<TimeToResult> {
  const { classes } = await writePictures(folder, images);
  await writeBenchJob(folder, { network, size, stages, shards, microBatch });
  const options = {
    ...{ network, size, stages, processes, workers, port: await freePort() },
    ...{ pictures: folder, weights: weightsFile(folder), classes: classes.length, batch: shards * microBatch },
  };
  const start = performance.now();
  const peer = await runPeer<{ accuracy: number; stageSeconds: number[]; version: string }>(
    python,
    'torch/staged.py',
    folder,
    options,
  );
  const peerSeconds = (performance.now() - start) / 1000;
  const thaw = await timedRun(folder);
  return {
    ...{ network, size, images, peer: `PyTorch ${peer.version}` },
    ...{ thawSeconds: thaw.seconds, peerSeconds, ratio: thaw.seconds / peerSeconds },
    thawStageSeconds: thaw.epochSeconds.map((epochs) => epochs.reduce((sum, seconds) => sum + seconds, 0)),
    ...{ peerStageSeconds: peer.stageSeconds, thawStartSeconds: thaw.startSeconds },
    ...{ thawAccuracy: thaw.accuracy, peerAccuracy: peer.accuracy },
  };
}

function linesOf(result: TimeToResult): string[] {
  const { network, size, images, peer, thawSeconds, peerSeconds, ratio } = result;
  const columns = [
    network.padEnd(14),
    String(size).padStart(4),
    String(images).padStart(7),
    peerSeconds.toFixed(1).padStart(11),
    thawSeconds.toFixed(1).padStart(9),
    ratio.toFixed(2).padStart(16),
    `${(100 * result.peerAccuracy).toFixed(1)} %`.padStart(19),
    `${(100 * result.thawAccuracy).toFixed(1)} %`.padStart(7),
  ];
  const list = (seconds: readonly number[]): string => seconds.map((one) => one.toFixed(1)).join(', ');
  return [
    columns.join(' '),
    `  stages, s: ${peer} ${list(result.peerStageSeconds)}; Thaw ${list(result.thawStageSeconds)}, ` +
      `before them ${result.thawStartSeconds.toFixed(1)}`,
  ];
}
