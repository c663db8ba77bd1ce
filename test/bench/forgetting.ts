// What a new task costs the old one: a MobileNetV2 learns the digits 0 to 4, then 5 to 9, in four ways. After each, its
// own old classifier is asked about old digits that it has never seen. A table of accuracies by way, over several seeds.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { cacheDirectory } from '@thaw/common/environment/cache-directory.ts';
import { resultFiles } from '@thaw/coordinator/export/result-files.ts';
import { exampleDigits } from '@thaw/coordinator/prepare/data-source/example-digits.ts';
import type { Report } from '@thaw/coordinator/report/build-report.ts';
import { stringify } from 'yaml';
import { runThaw } from '../support/thaw-process.ts';
import type { BenchmarkOptions, Print } from './benchmark.ts';

interface Row {
  readonly way: string;
  readonly seed: number;
  /** Of the new task, on its test set. */
  readonly newAccuracy: number;
  /** Of the old task, before the new one and with the exported weights. */
  readonly oldBefore: number;
  readonly oldAfter: number;
  readonly epochs: number;
}

interface Sizes {
  /** Training pictures of a class. */
  readonly images: number;
  readonly size: number;
  readonly epochs: number;
}

const [oldDigits, newDigits] = [
  [0, 1, 2, 3, 4],
  [5, 6, 7, 8, 9],
];
const all = ['head/**', 'backbone/**'];
/** Of the old task and of a new head alone; where all layers move it is the smaller one. */
const [headRate, rate] = [1e-3, 1e-4];
const heldOut = 20;
const maxDrop = 0.05;

const source = 'example:nsfwjs-mobilenet-v2';

const ways: Readonly<Record<string, (epochs: number) => { stages: readonly object[]; maxDrop?: number }>> = {
  full: (epochs) => ({ stages: [{ name: 'all', trainable: all, epochs }] }),
  gradual: (epochs) => ({
    stages: [
      { name: 'head', trainable: ['head/**'], epochs: Math.ceil(epochs / 3), learningRate: headRate },
      { name: 'last', trainable: ['head/**', 'last(2)'], epochs: Math.ceil(epochs / 3) },
      { name: 'all', trainable: all, epochs: Math.ceil(epochs / 3), learningRate: rate / 10 },
    ],
  }),
  'L2-SP': (epochs) => ({ stages: [{ name: 'all', trainable: all, epochs, l2sp: 0.1 }] }),
  'the rule': (epochs) => ({ stages: [{ name: 'all', trainable: all, epochs }], maxDrop }),
};

export async function benchForgetting(options: BenchmarkOptions, print: Print): Promise<readonly object[]> {
  const sizes = { images: options.images ?? 60, size: options.sizes?.[0] ?? 96, epochs: options.epochs ?? 6 };
  const folder = await mkdtemp(path.join(os.tmpdir(), 'thaw-forgetting-'));
  const rows: Row[] = [];
  try {
    for (let seed = 1; seed <= (options.passes ?? 3); seed++) {
      const first = await learn({ folder, name: `old-${seed}`, source, digits: oldDigits, seed, sizes });
      print(`seed ${seed}: the old task is learnt, accuracy ${percent(first.test.accuracy)}`);
      for (const [way, how] of Object.entries(ways)) {
        const job = { folder, name: `new-${seed}-${Object.keys(ways).indexOf(way)}`, digits: newDigits, seed, sizes };
        const report = await learn({ ...job, source: `file:old-${seed}`, ...how(sizes.epochs), old: `old-${seed}` });
        rows.push(rowOf(way, seed, report));
        print(lineOf(rows.at(-1) as Row));
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  print(`\nmeans over ${new Set(rows.map(({ seed }) => seed)).size} seeds (range)`);
  for (const way of Object.keys(ways)) print(summaryOf(rows.filter((row) => row.way === way)));
  return rows;
}

interface Learning {
  readonly folder: string;
  readonly name: string;
  readonly source: string;
  readonly digits: readonly number[] | undefined;
  readonly seed: number;
  readonly sizes: Sizes;
  readonly stages?: readonly object[];
  readonly maxDrop?: number;
  /** Name of the job whose task is watched. */
  readonly old?: string;
}

/** A head first, then two blocks: how the old task is learnt. */
const firstStages = [
  { name: 'head', trainable: ['head/**'], epochs: 4, learningRate: headRate },
  { name: 'blocks', trainable: ['head/**', 'last(2)'], epochs: 4, learningRate: headRate },
];

async function learn(job: Learning): Promise<Report> {
  const { folder, name, seed, sizes, stages = firstStages, old } = job;
  await writeSamples(job);
  const text = stringify({
    apiVersion: 'thaw.dev/v1alpha1',
    kind: 'FineTuneJob',
    metadata: { name },
    spec: {
      task: 'imageClassification',
      model: {
        source: job.source,
        ...(old === undefined && { input: { size: sizes.size } }),
        head: [{ globalAveragePooling: {} }],
      },
      data: { source: `file:${name}.csv`, shards: 2 },
      train: { seed, microBatch: 8, optimizer: { adam: { learningRate: rate } }, schedule: { stages } },
      ...(old !== undefined && {
        retention: {
          source: `file:${old}.held-out.csv`,
          ...(job.maxDrop !== undefined && { maxDrop: job.maxDrop }),
        },
      }),
    },
  });
  await writeFile(path.join(folder, `${name}.yaml`), text);
  const { status, said } = await runThaw(['run', `${name}.yaml`, '--trainers', '2', '--out', name], { cwd: folder });
  if (status !== 0) throw new Error(`${name} ended with ${status}:\n${said}`);
  return JSON.parse(await readFile(resultFiles(path.join(folder, name)).report, 'utf8')) as Report;
}

/** Another part of the digits for each seed; the held-out ones are the test set's. */
async function writeSamples({ folder, name, digits = [], seed, sizes: { images } }: Learning): Promise<void> {
  const root = await exampleDigits(cacheDirectory(process.env));
  const perClass = images + 2 * heldOut;
  const rows = digits.flatMap((digit) =>
    Array.from({ length: perClass }, (_, i) => {
      const file = path.join(root, String(digit), `${String((seed - 1) * perClass + i).padStart(4, '0')}.png`);
      const set = i < images ? 'train' : i < images + heldOut ? 'validation' : 'test';
      return { file, digit, set };
    }),
  );
  const lines = rows.map(({ file, digit, set }) => `${file},${digit},${set}`);
  await writeFile(path.join(folder, `${name}.csv`), ['path,label,split', ...lines, ''].join('\n'));
  const unseen = rows.filter(({ set }) => set === 'test').map(({ file, digit }) => `${file},${digit}`);
  await writeFile(path.join(folder, `${name}.held-out.csv`), ['path,label', ...unseen, ''].join('\n'));
}

function rowOf(way: string, seed: number, { test, oldTask, stages }: Report): Row {
  return {
    way,
    seed,
    newAccuracy: test.accuracy,
    oldBefore: oldTask?.before.accuracy ?? Number.NaN,
    oldAfter: oldTask?.after?.accuracy ?? Number.NaN,
    epochs: stages.reduce((sum, { epochs }) => sum + epochs, 0),
  };
}

function lineOf({ way, newAccuracy, oldBefore, oldAfter, epochs }: Row): string {
  const old = `old task ${percent(oldBefore)} -> ${percent(oldAfter)}`;
  return `  ${way.padEnd(10)} new task ${percent(newAccuracy)}   ${old}   ${epochs} epochs`;
}

function summaryOf(rows: readonly Row[]): string {
  const spread = (of: (row: Row) => number): string => {
    const values = rows.map(of);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return `${percent(mean)} (${percent(Math.min(...values))} to ${percent(Math.max(...values))})`;
  };
  const [{ way }] = rows as [Row];
  return `  ${way.padEnd(10)} new task ${spread((row) => row.newAccuracy)}   old task ${spread((row) => row.oldAfter)}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1).padStart(5)} %`;
}
