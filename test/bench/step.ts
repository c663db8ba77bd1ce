// One step from decoded pixels in memory to updated weights, in two processes of one thread: Thaw's engine, collective
// and update rule beside PyTorch's DistributedDataParallel over gloo, pixels in channels_last. The frozen prefix is shown
// apart: Thaw computes it once for each sample, PyTorch in every epoch. It measures neither decoding nor a network, and
// takes two passes in turn, so that a busy minute does not fall on one side.

import { type ChildProcess, fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { natsServerFile, startNatsServer } from '../support/nats-server.ts';
import type { Python } from '../support/python.ts';
import { torchPython } from '../support/torch.ts';
import { type NetworkName, weightsFile, writeBenchJob } from './bench-job.ts';
import { type BenchmarkOptions, chosenCases, type Print } from './benchmark.ts';
import { freePort, runPeer } from './peer.ts';
import { writePictures } from './pictures.ts';
import { type Spread, spreadOf } from './spread.ts';
import type { StepMemberOptions, StepTimes } from './step-member.ts';

export interface StepResult {
  readonly network: NetworkName;
  readonly size: number;
  readonly blocks: readonly string[];
  readonly peer: string;
  /** Milliseconds, as long as the slower process took. */
  readonly thaw: { readonly prefix: Spread; readonly rest: Spread };
  readonly torch: { readonly prefix: Spread; readonly rest: Spread };
  /** Thaw over the peer, by the medians. */
  readonly prefixRatio: number;
  readonly restRatio: number;
}

interface Case {
  readonly network: NetworkName;
  readonly size: number;
  readonly blocks: readonly string[];
}

const cases: readonly Case[] = [
  { network: 'mobilenetV2', size: 96, blocks: ['Conv_1', 'block_16', 'block_15'] },
  { network: 'mobilenetV2', size: 224, blocks: ['Conv_1', 'block_16', 'block_15'] },
  { network: 'vgg16', size: 224, blocks: ['block5'] },
];

const [processes, microBatch, warmSteps, passes] = [2, 32, 3, 2];

export async function benchStep(options: BenchmarkOptions, print: Print): Promise<StepResult[]> {
  const python = await torchPython();
  if (typeof python === 'string') throw new Error(python);
  const { steps = 10 } = options;
  const chosen = chosenCases(cases, options);
  const results: StepResult[] = [];
  print('network        size   prefix ms: PyTorch    Thaw   ratio   rest ms: PyTorch    Thaw   ratio');
  for (const one of chosen) {
    const folder = await mkdtemp(path.join(tmpdir(), 'thaw-step-'));
    try {
      const result = await measure(folder, one, { steps, python });
      print(lineOf(result));
      results.push(result);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  return results;
}

async function measure(
  folder: string,
  one: Case,
  { steps, python }: { readonly steps: number; readonly python: Python },
): Promise<StepResult> {
  const { network, size, blocks } = one;
  const { classes } = await writePictures(folder, processes * microBatch);
  const stages = [{ name: 'blocks', blocks, epochs: 1, learningRate: 1e-4 }];
  await writeBenchJob(folder, { network, size, stages, shards: processes, microBatch });
  const thaw: StepTimes = { prefix: [], rest: [] };
  const torch: StepTimes = { prefix: [], rest: [] };
  let peer = '';
  for (let pass = 0; pass < passes; pass++) {
    const found = await runPeer<StepTimes & { version: string }>(python, 'torch/steps.py', folder, {
      ...{ network, size, blocks, processes, microBatch, warmSteps, steps, port: await freePort() },
      ...{ weights: weightsFile(folder), classes: classes.length },
    });
    peer = `PyTorch ${found.version}`;
    add(torch, found);
    add(thaw, await thawSteps(folder, steps));
  }
  const spreads = ({ prefix, rest }: StepTimes) => ({ prefix: spreadOf(prefix), rest: spreadOf(rest) });
  const [ours, theirs] = [spreads(thaw), spreads(torch)];
  return {
    ...{ network, size, blocks, peer, thaw: ours, torch: theirs },
    prefixRatio: ours.prefix.median / theirs.prefix.median,
    restRatio: ours.rest.median / theirs.rest.median,
  };
}

function add(to: StepTimes, { prefix, rest }: StepTimes): void {
  to.prefix.push(...prefix);
  to.rest.push(...rest);
}

async function thawSteps(folder: string, steps: number): Promise<StepTimes> {
  const file = natsServerFile();
  if (!file) throw new Error('nats-server is missing: run ./thaw once, which sets it up');
  const server = await startNatsServer(file);
  const children: ChildProcess[] = [];
  try {
    for (let self = 0; self < processes; self++) {
      const options: StepMemberOptions = { natsUrl: server.url, self, members: processes, folder, warmSteps, steps };
      const member = fileURLToPath(new URL('./step-member.ts', import.meta.url));
      children.push(fork(member, [JSON.stringify(options)], { execArgv: ['--import', 'tsx'] }));
    }
    const [first, ...others] = await Promise.all(children.map(timesOf));
    const slower = (times: readonly number[], pick: (of: StepTimes) => readonly number[]): number[] =>
      times.map((time, step) => Math.max(time, ...others.map((other) => pick(other)[step] as number)));
    const { prefix = [], rest = [] } = first ?? {};
    return { prefix: slower(prefix, (of) => of.prefix), rest: slower(rest, (of) => of.rest) };
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await server.stop();
  }
}

function timesOf(child: ChildProcess): Promise<StepTimes> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`a member ended with ${code}`)));
    child.once('message', (message) => resolve(message as StepTimes));
  });
}

function lineOf({ network, size, thaw, torch, prefixRatio, restRatio }: StepResult): string {
  const columns = [
    network.padEnd(14),
    String(size).padStart(4),
    torch.prefix.median.toFixed(0).padStart(20),
    thaw.prefix.median.toFixed(0).padStart(7),
    prefixRatio.toFixed(2).padStart(7),
    torch.rest.median.toFixed(0).padStart(18),
    thaw.rest.median.toFixed(0).padStart(7),
    restRatio.toFixed(2).padStart(7),
  ];
  return columns.join(' ');
}
