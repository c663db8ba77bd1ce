// What each mode of `batchNorm` does to thawed and to frozen normalisations, beside Keras' `trainable` and `training`:
// by which statistics a layer normalises (the loss and every gradient follow from it) and which statistics move.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { plainCrossEntropy } from '@thaw/common/job/loss.ts';
import type { Preprocessing, ResolvedStage } from '@thaw/common/job/resolved-job.ts';
import { stageStatistics, statisticsNames } from '@thaw/common/model/batch-statistics.ts';
import { type Graph, graphVersion, type Layer } from '@thaw/common/model/graph.ts';
import { addLayer } from '@thaw/common/model/infer.ts';
import { selectTrainable } from '@thaw/common/model/select.ts';
import { keyedStream } from '@thaw/common/random/stream.ts';
import { createEngine } from '@thaw/trainer/engine/create-engine.ts';
import type { EngineModel } from '@thaw/trainer/engine/engine.ts';
import { drawnWeights } from '@thaw/trainer/testing/small-network.ts';
import {
  moveStatistics,
  pooledMoments,
  type StatisticsRule,
  shardStatistics,
} from '@thaw/trainer/train/batch-statistics.ts';
import { holdStatistics, type TrainState } from '@thaw/trainer/train/train-state.ts';
import { kerasPython } from '../../support/keras.ts';
import { relativeDistance } from '../../support/tensor-distance.ts';
import { skipWithoutTensorflow } from '../../support/tensorflow.ts';

const tolerance = 1e-5;
const side = 6;
const samples = 6;
/** Two rows of padding. */
const microBatch = 8;
const classes = 3;

interface Case {
  readonly name: string;
  readonly batchNorm: ResolvedStage['batchNorm'];
  readonly select: readonly string[];
  /** What Keras does for the same: layers of `trainable` true, and whether the pass is one of training. */
  readonly keras: {
    readonly trainable: readonly string[];
    readonly training: boolean;
    /** Of every normalisation; null: its own. */
    readonly momentum: number | null;
  };
  /** Layers whose statistics are others afterwards. */
  readonly moves: readonly string[];
}

const all = ['conv1', 'bn1', 'conv2', 'bn2', 'bn3', 'output'];
const end = ['conv2', 'bn2', 'bn3', 'output'];
const ends = ['backbone/conv2', 'backbone/bn2', 'head/**'];
const own = { momentum: null };
const table: readonly Case[] = [
  { name: 'frozen-all-thawed', batchNorm: 'frozen', select: ['**'], keras: { trainable: all, training: false, ...own }, moves: [] },
  { name: 'frozen-bn1-frozen', batchNorm: 'frozen', select: ends, keras: { trainable: end, training: false, ...own }, moves: [] },
  { name: 'train-all-thawed', batchNorm: 'train', select: ['**'], keras: { trainable: all, training: true, ...own }, moves: ['bn1', 'bn2', 'bn3'] },
  { name: 'train-bn1-frozen', batchNorm: 'train', select: ends, keras: { trainable: end, training: true, ...own }, moves: ['bn2', 'bn3'] },
  {
    name: 'train-only-bn1-thawed',
    batchNorm: 'train',
    select: ['backbone/bn1'],
    keras: { trainable: ['bn1'], training: true, ...own },
    moves: ['bn1'],
  },
  // Keras has no such mode; a pass of training that keeps nothing of what was there leaves the same statistics.
  {
    name: 'adapt-all-frozen',
    batchNorm: 'adapt',
    select: ['head/output'],
    keras: { trainable: ['bn1', 'bn2', 'bn3'], training: true, momentum: 0 },
    moves: ['bn1', 'bn2', 'bn3'],
  },
  {
    name: 'adapt-bn2-thawed',
    batchNorm: 'adapt',
    select: ['backbone/bn2', 'head/output'],
    keras: { trainable: ['bn1', 'bn3'], training: true, momentum: 0 },
    moves: ['bn1', 'bn3'],
  },
]; // biome-ignore format: a table

interface KerasAnswer {
  readonly loss: number;
  readonly gradients: Readonly<Record<string, readonly number[]>>;
  readonly after: Readonly<Record<string, readonly number[]>>;
}

const python = await kerasPython();
const skip = typeof python === 'string' && python;
const graph = smallNormalisedGraph();
const source = drawnWeights(graph);
const ids = Array.from({ length: microBatch }, (_, i) => `sample ${i}`);
const pixels = Buffer.concat(ids.map(drawnPicture));
const labels = ids.map((_, i) => i % classes);
let answers: Readonly<Record<string, KerasAnswer>> = {};

before(async () => {
  if (typeof python === 'string') return;
  const folder = await mkdtemp(path.join(tmpdir(), 'thaw-batch-norm-'));
  after(() => rm(folder, { recursive: true, force: true }));
  const [request, answer] = ['request.json', 'answer.json'].map((name) => path.join(folder, name)) as [string, string];
  const weights = Object.fromEntries(
    [...source].map(([name, { shape, data }]) => [plain(name), { shape, data: [...data] }]),
  );
  const asked = {
    weights,
    pixels: Array.from(pixels.subarray(0, (pixels.length / microBatch) * samples), (byte) => byte / 255),
    labels: labels.slice(0, samples),
    cases: table.map(({ name, keras }) => ({ name, ...keras })),
  };
  await writeFile(request, JSON.stringify(asked));
  await python.run(path.join(import.meta.dirname, 'batch_norm.py'), [request, answer]);
  answers = JSON.parse(await readFile(answer, 'utf8')) as typeof answers;
});

for (const kind of ['cpu', 'tensorflow'] as const) {
  describe(`batchNorm as in Keras, on ${kind}`, {
    skip: skip || (kind === 'tensorflow' && (await skipWithoutTensorflow())),
  }, () => {
    for (const one of table) {
      it(one.name, async () => {
        const engine = await createEngine({ kind, threads: 1, gpus: 0 });
        const model = engine.loadModel(graph, source, preprocessing);
        try {
          compare(one, model, answers[one.name] as KerasAnswer);
        } finally {
          model.dispose();
        }
      });
    }
  });
}

function compare(one: Case, model: EngineModel, keras: KerasAnswer): void {
  const stage = { name: one.name, select: one.select, batchNorm: one.batchNorm };
  const state = one.batchNorm === 'adapt' ? adapted(stage, model) : trainedOnce(stage, model, keras);
  for (const [name, expected] of Object.entries(keras.after)) {
    const full = fullName(name);
    const before = source.get(full)?.data as Float32Array;
    const found = state.get(full)?.value ?? before;
    assert.ok(relativeDistance(found, expected) <= tolerance, `${name}: found ${found}; Keras has ${expected}`);
    const moved = found.some((value, i) => value !== before[i]);
    assert.equal(moved, one.moves.includes(name.split('/')[0] ?? ''), `${name} moved`);
  }
}

type Stage = Parameters<typeof stageStatistics>[1];

/** One micro-batch with rows of padding that hold other samples. */
function trainedOnce(stage: Stage, model: EngineModel, keras: KerasAnswer): TrainState {
  const { moved } = stageStatistics(graph, stage);
  const trainable = selectTrainable(graph, stage.select).tensors.map(({ name }) => name);
  const shape = { blockSize: microBatch, microBatch, classes, seed: 1, loss: plainCrossEntropy };
  const program = model.stageProgram({ trainable, statistics: moved, ...shape });
  const gradient = new Float32Array(program.layout.length);
  const weights = Float32Array.from(ids, (_, i) => (i < samples ? 1 : 0));
  const features = program.features(pixels);
  const batch = { features, labels: Int32Array.from(labels), weights, sampleIds: ids.slice(0, samples), epoch: 0 };
  const { loss, moments } = program.gradients(batch, gradient);
  program.dispose();
  assert.ok(Math.abs(loss - keras.loss) <= tolerance * keras.loss, `loss ${loss}; Keras has ${keras.loss}`);
  assert.deepEqual(trainable.map(plain).sort(), Object.keys(keras.gradients).sort());
  for (const { name, offset, length } of program.layout.entries) {
    const expected = keras.gradients[plain(name)] as readonly number[];
    const distance = relativeDistance(gradient.subarray(offset, offset + length), expected);
    assert.ok(distance <= tolerance, `the gradient of ${name} is ${distance.toExponential(1)} of its norm apart`);
  }
  return moving(moved, moments, false);
}

function adapted(stage: Stage, model: EngineModel): TrainState {
  const { adapted: statistics } = stageStatistics(graph, stage);
  const program = model.momentsProgram({ statistics, blockSize: microBatch });
  return moving(
    statistics,
    program.moments(
      pixels,
      ids.map((_, i) => i < samples),
    ),
    true,
  );
}

function moving(layout: StatisticsRule['layout'], moments: Float32Array, set: boolean): TrainState {
  const state: TrainState = new Map();
  holdStatistics(state, statisticsNames(layout), source);
  const rule = { layout, reference: source, samplesMax: microBatch, contributionsMax: 1 };
  const pooled = pooledMoments(rule, shardStatistics(rule, moments, samples), samples);
  moveStatistics(state, layout, { pooled, set });
  return state;
}

const preprocessing: Preprocessing = {
  height: side,
  width: side,
  resize: 'squash',
  channelOrder: 'rgb',
  scale: 1 / 255,
  mean: [0, 0, 0],
  std: [1, 1, 1],
};

function smallNormalisedGraph(): Graph {
  const normalization = { axis: -1, epsilon: 1e-3, center: true, scale: true };
  const convolution = { kernel_size: [3, 3], use_bias: false };
  const rows: readonly (readonly [path: string, kind: string, config: Record<string, unknown>])[] = [
    ['backbone/input', 'InputLayer', { batch_input_shape: [null, side, side, 3] }],
    ['backbone/conv1', 'Conv2D', { ...convolution, filters: 5, padding: 'same' }],
    ['backbone/bn1', 'BatchNormalization', { ...normalization, momentum: 0.99 }],
    ['backbone/relu1', 'ReLU', {}],
    ['backbone/conv2', 'Conv2D', { ...convolution, filters: 4, strides: [2, 2] }],
    ['backbone/bn2', 'BatchNormalization', { ...normalization, momentum: 0.9, scale: false }],
    // Without it the gradient of bn2's beta would be 0: bn3 takes a shift away again.
    ['backbone/relu2', 'ReLU', {}],
    ['head/pool', 'GlobalAveragePooling2D', {}],
    ['head/bn3', 'BatchNormalization', { ...normalization, momentum: 0.8 }],
    ['head/output', 'Dense', { units: classes, activation: 'softmax' }],
  ];
  const layers = new Map<string, Layer>();
  let last: string[] = [];
  for (const [layer, kind, config] of rows) last = [addLayer(layers, { path: layer, kind, config, inputs: last }).path];
  return { version: graphVersion, layers: [...layers.values()], input: 'backbone/input', output: 'head/output' };
}

function drawnPicture(id: string): Uint8Array {
  const stream = keyedStream(5, 'probe', id);
  return Uint8Array.from({ length: side * side * 3 }, () => stream.below(256));
}

/** Name in Keras. */
function plain(name: string): string {
  return name.replace(/^(backbone|head)\//, '');
}

function fullName(name: string): string {
  return [...source.keys()].find((full) => plain(full) === name) ?? name;
}
