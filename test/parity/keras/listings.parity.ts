// The examples that are listings of the guides, trained by Keras as the listing says and by `thaw run` with two trainers,
// from the same weights on the same decoded pixels: 100 full-batch steps. The loss of every step and the way that the
// weights went have to agree. `npm run test:parity`: it downloads Keras and the packages of the examples, and takes
// minutes, so it is no part of `npm test`. Pictures are smaller than in the examples, which changes nothing but the time.

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { cacheDirectory } from '@thaw/common/environment/cache-directory.ts';
import type { Tensor, Weights } from '@thaw/common/model/graph.ts';
import { readFloatTensors, writeSafetensors } from '@thaw/common/tensors/safetensors.ts';
import { resultFiles } from '@thaw/coordinator/export/result-files.ts';
import { indexDataSet } from '@thaw/coordinator/prepare/data-source/index-data-set.ts';
import { prepareJob } from '@thaw/coordinator/prepare/prepare-job.ts';
import type { PreparedJob } from '@thaw/coordinator/prepare/prepared-job.ts';
import { parse, stringify } from 'yaml';
import { repositoryRoot } from '../../../scripts/setup/locations.mjs';
import { pixelsOf } from '../../support/digits-job.ts';
import { pythonWith } from '../../support/python.ts';
import { relativeDistance } from '../../support/tensor-distance.ts';
import { runThaw } from '../../support/thaw-process.ts';

const steps = 100;
const lossTolerance = 1e-3;
/** Of the distance that Keras' weights went. */
const weightTolerance = 0.01;
const pictureSize = 64;
const shards = 4;
const microBatch = 16;
/** Full batch: every shard gives all that it has to every step. */
const trainSamples = shards * microBatch;

const python = await pythonWith(['tensorflow-cpu==2.21.0', 'keras==3.15.1', 'safetensors==0.8.0']);
if (typeof python === 'string') throw new Error(python);

for (const { example, hidden } of [
  { example: 'vgg16', hidden: 0 },
  { example: 'skin-lesions', hidden: 128 },
]) {
  describe(`examples/${example}.yaml and Keras`, () => {
    let folder = '';
    let losses: readonly number[] = [];
    let start: Weights = new Map();
    let end: Weights = new Map();

    before(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'thaw-listing-'));
      const jobText = stringify(await fullBatchJob(example, folder));
      await writeFile(path.join(folder, 'job.yaml'), jobText);
      const cache = cacheDirectory(process.env);
      const prepared = await prepareJob({ jobText, fileName: 'job.yaml', baseDir: folder, cacheDirectory: cache });
      start = prepared.weights;
      await writeForKeras(prepared, { folder, hidden });
      const { status, said } = await runThaw(['run', 'job.yaml', '--trainers', '2', '--out', 'out'], { cwd: folder });
      assert.equal(status, 0, said);
      const files = resultFiles(path.join(folder, 'out'));
      losses = await trainedLosses(files.events);
      end = readFloatTensors(await readFile(files.safetensors), 'model.safetensors');
      await python.run(path.join(import.meta.dirname, 'listings.py'), [path.join(folder, 'request.json'), folder]);
    });
    after(() => rm(folder, { recursive: true, force: true }));

    it(`have the same loss in each of ${steps} steps, to ${lossTolerance}`, async (context) => {
      const keras = JSON.parse(await readFile(path.join(folder, 'losses.json'), 'utf8')) as number[];
      assert.equal(losses.length, steps);
      assert.equal(keras.length, steps);
      const apart = losses.map((loss, step) => Math.abs(loss / (keras[step] as number) - 1));
      context.diagnostic(`loss ${losses[0]} to ${losses.at(-1)}; at most ${Math.max(...apart).toExponential(1)} apart`);
      assert.ok((losses.at(-1) as number) < (losses[0] as number) / 2, 'hardly anything was learnt');
      assert.ok(Math.max(...apart) <= lossTolerance, `${apart}`);
    });

    it(`have gone the same way, to ${weightTolerance} of its length`, async (context) => {
      const keras = readFloatTensors(await readFile(path.join(folder, 'end.safetensors')), 'end.safetensors');
      const names = [...keras.keys()].sort();
      assert.deepEqual(names, [...start.keys()].filter((name) => name.startsWith('head/')).sort());
      const distance = relativeDistance(wayOf(end, start, names), wayOf(keras, start, names));
      context.diagnostic(`weights ${distance.toExponential(1)} apart`);
      assert.ok(distance <= weightTolerance, `${distance}`);
    });
  });
}

/** The example with few and small pictures, all of which are in every step. */
async function fullBatchJob(example: string, folder: string): Promise<unknown> {
  const text = await readFile(path.join(repositoryRoot, 'examples', `${example}.yaml`), 'utf8');
  const job = parse(text) as {
    spec: {
      model: { input: { size: number } };
      data: { source: string; split: unknown; shards: number };
      train: { microBatch: number; schedule: { stages: { epochs: number }[] } };
    };
  };
  const { model, data, train } = job.spec;
  await writeFile(path.join(folder, 'pictures.csv'), await fewPictures(data.source));
  model.input.size = pictureSize;
  Object.assign(data, { source: 'file:pictures.csv', split: {}, shards });
  train.microBatch = microBatch;
  for (const stage of train.schedule.stages) stage.epochs = steps;
  return job;
}

/** As many of each class; a CSV with a column for the set. */
async function fewPictures(source: string): Promise<string> {
  const split = { kind: 'hash', train: 0.8, validation: 0.1, test: 0.1 } as const;
  const places = { baseDirectory: '.', cacheDirectory: cacheDirectory(process.env) };
  const { manifest, root } = await indexDataSet({ source, split }, places);
  const { paths, labels } = manifest.sets.train;
  const rows = ['path,label,split'];
  for (const [label, name] of manifest.classes.entries()) {
    const perClass = trainSamples / manifest.classes.length;
    const ofClass = paths.filter((_, row) => labels[row] === label).slice(0, perClass + 2);
    for (const [i, file] of ofClass.entries()) {
      const set = i < perClass ? 'train' : i === perClass ? 'validation' : 'test';
      rows.push(`${path.join(root, file)},${name},${set}`);
    }
  }
  return `${rows.join('\n')}\n`;
}

async function writeForKeras(
  prepared: PreparedJob,
  { folder, hidden }: { readonly folder: string; readonly hidden: number },
): Promise<void> {
  const { job, manifest, weights } = prepared;
  const { labels } = manifest.sets.train;
  assert.equal(labels.length, trainSamples);
  const { height, width } = job.model.preprocessing;
  const pixels = new Float32Array(trainSamples * height * width * 3);
  const loader = pixelsOf(prepared);
  const block = 32;
  for (let first = 0; first < trainSamples; first += block) {
    const refs = Array.from({ length: block }, (_, i) => ({ set: 'train', index: first + i, view: 0 }) as const);
    pixels.set((await loader.loadBlock(refs)).pixels, first * height * width * 3);
  }
  const batch: Map<string, Tensor | { shape: number[]; data: Int32Array }> = new Map([
    ['pixels', { shape: [trainSamples, height, width, 3], data: pixels }],
    ['labels', { shape: [trainSamples], data: Int32Array.from(labels) }],
  ]);
  const { optimizer } = job.stages[0] as { optimizer: { learningRate?: number } };
  const learningRate = job.stages[0]?.learningRate ?? optimizer.learningRate;
  await mkdir(folder, { recursive: true });
  const request = { classes: manifest.classes.length, hidden, steps, learningRate };
  await writeFile(path.join(folder, 'request.json'), JSON.stringify(request));
  await writeFile(path.join(folder, 'start.safetensors'), writeSafetensors(weights));
  await writeFile(path.join(folder, 'batch.safetensors'), writeSafetensors(batch));
}

/** Of each step: an epoch has one. */
async function trainedLosses(events: string): Promise<number[]> {
  const lines = (await readFile(events, 'utf8')).trim().split('\n');
  return lines
    .map((line) => JSON.parse(line) as { kind: string; loss: number })
    .filter(({ kind }) => kind === 'epochTrained')
    .map(({ loss }) => loss);
}

/** End minus start, all tensors in one vector. */
function wayOf(end: Weights, start: Weights, names: readonly string[]): Float32Array {
  const parts = names.map((name) => {
    const [to, from] = [end.get(name)?.data, start.get(name)?.data];
    if (!to || !from) throw new Error(`${name} is missing`);
    return to.map((value, i) => value - (from[i] as number));
  });
  const way = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    way.set(part, at);
    at += part.length;
  }
  return way;
}
