// Thaw's way of training (prefix and suffix, folded normalisation, integer sums, the update rule) against the oracle's:
// one process, the whole network under the tape, float64 sums. On a small made-up network and on a pretrained
// MobileNetV2 whose last two blocks are trained.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { blockSize } from '@thaw/common/data/block-size.ts';
import { epochOrder, microBatchRows } from '@thaw/common/data/epoch-order.ts';
import { shardTrainSet } from '@thaw/common/data/shards.ts';
import { plainCrossEntropy } from '@thaw/common/job/loss.ts';
import type { EngineKind, Preprocessing } from '@thaw/common/job/resolved-job.ts';
import type { Graph, WeightRole, Weights } from '@thaw/common/model/graph.ts';
import { selectTrainable } from '@thaw/common/model/select.ts';
import { createEngine } from '@thaw/trainer/engine/create-engine.ts';
import type { EngineModel, StageProgram } from '@thaw/trainer/engine/engine.ts';
import {
  drawnPixels,
  drawnWeights,
  smallClasses,
  smallGraph,
  smallPreprocessing,
} from '@thaw/trainer/testing/small-network.ts';
import { enterStage, type TrainState } from '@thaw/trainer/train/train-state.ts';
import { applyUpdate, type ReducedGradient, type UpdateRule } from '@thaw/trainer/train/update-rule.ts';
import { digitsJob, pixelsOf } from '../support/digits-job.ts';
import { reduce, type ShardBatch, shardGradients } from '../support/production-step.ts';
import { skipWithoutTensorflow } from '../support/tensorflow.ts';
import { agreement, farthest } from './oracle/agreement.ts';
import type { OracleNetwork } from './oracle/network.ts';
import { type Gradients, oracleGradients, oracleStep } from './oracle/training.ts';

const tolerance = 1e-5;
const seed = 7;
const skip = await skipWithoutTensorflow();

interface Scenario {
  readonly engine: EngineKind;
  readonly graph: Graph;
  readonly weights: Weights;
  readonly preprocessing: Preprocessing;
  readonly select: readonly string[];
  readonly classes: number;
  readonly microBatch: number;
  readonly steps: number;
  readonly rule: {
    readonly learningRate: number;
    readonly l2: number;
    readonly l2sp: number;
    readonly clipNorm: number;
  };
  /** Every shard's micro-batch of a step. */
  readonly batches: (step: number) => Promise<readonly ShardBatch[]>;
}

for (const engine of ['cpu', 'wasm', 'tensorflow'] as const) {
  describe(`a small network on ${engine}`, { skip: engine === 'tensorflow' && skip }, () => {
    it('trains as the oracle does', async () => {
      await trainsAsTheOracle(smallScenario(engine));
    });
  });
}

describe('a pretrained MobileNetV2', { skip }, () => {
  it('trains its last two blocks and the head as the oracle does', async () => {
    await trainsAsTheOracle(await digitsScenario());
  });
});

async function trainsAsTheOracle(scenario: Scenario): Promise<void> {
  const { graph, weights, preprocessing, rule } = scenario;
  const engine = await createEngine({ kind: scenario.engine, threads: 1, gpus: 0 });
  const model = engine.loadModel(graph, weights, preprocessing);
  const { tensors } = selectTrainable(graph, scenario.select);
  const trainable = tensors.map(({ name }) => name);
  const { microBatch, classes, steps } = scenario;
  const program = model.stageProgram({ trainable, seed, blockSize, microBatch, classes, loss: plainCrossEntropy });
  const state: TrainState = new Map();
  enterStage(state, tensors, { optimizer: { kind: 'sgd' }, reset: true, source: weights });
  const network = { graph, seed, scale: preprocessing.scale };
  let oracle = weights;
  try {
    for (let step = 0; step < steps; step++) {
      const batches = await scenario.batches(step);
      const own = oracleGradients(network, batches, { weights: oracle, trainable });
      const stepped = oracleStep(oracle, own.gradients, { ...rule, pretrained: backboneOf(weights) });
      oracle = new Map([
        ...oracle,
        ...Array.from(stepped, ([name, data]) => [name, tensorLike(oracle, name, data)] as const),
      ]);
      trainStep({ scenario, network, model, program, state }, { step, batches });
    }
    const found = new Map(trainable.map((name) => [name, Float64Array.from(state.get(name)?.value ?? [])]));
    const expected = new Map(trainable.map((name) => [name, Float64Array.from(oracle.get(name)?.data ?? [])]));
    const { distance, tensor } = farthest(found, expected);
    assert.ok(
      distance <= tolerance,
      `after ${steps} steps ${tensor} is ${distance.toExponential(1)} of its norm apart`,
    );
    assertTrained(weights, expected);
    assertFrozen(model, weights, trainable);
  } finally {
    program.dispose();
    model.dispose();
  }
}

interface Production {
  readonly scenario: Scenario;
  readonly network: OracleNetwork;
  readonly model: EngineModel;
  readonly program: StageProgram;
  readonly state: TrainState;
}

/** Compares the gradients with the oracle's at the same weights, then applies them. */
function trainStep(production: Production, work: { step: number; batches: readonly ShardBatch[] }): void {
  const { scenario, network, model, program, state } = production;
  const { layout } = program;
  const weight = work.batches.reduce((sum, { labels }) => sum + labels.length, 0);
  const shards = shardGradients(program, work.batches, scenario.microBatch);
  const gradients = shards.map(({ gradient }) => gradient);
  const reduced = reduce(layout, gradients, { step: work.step, weight });
  const names = scenario.graph.layers.flatMap(({ weights }) => weights.map(({ name }) => name));
  const weights = model.readWeights(names);
  const trainable = layout.entries.map(({ name }) => name);
  const found = meanGradients(program, reduced);
  const agreed = agreement(network, work.batches, { weights, trainable, found, tolerance });
  const { distance, tensor } = agreed;
  const where = `step ${work.step}: the gradient of ${tensor}`;
  assert.ok(distance <= tolerance, `${where} is ${distance.toExponential(1)} of its norm apart`);
  const loss = shards.reduce((sum, { sums }) => sum + sums.loss, 0) / weight;
  assert.ok(Math.abs(loss - agreed.loss) <= tolerance * agreed.loss, `loss ${loss}; the oracle's is ${agreed.loss}`);
  const buffers = { gradient: new Float64Array(layout.length) };
  const { learningRate } = scenario.rule;
  applyUpdate(state, layout, { rule: ruleOf(scenario, program), reduced, learningRate, buffers });
  model.writeWeights(new Map(trainable.map((name) => [name, tensorLike(weights, name, state.get(name)?.value ?? [])])));
}

function meanGradients({ layout }: StageProgram, { sums, exponents, weight }: ReducedGradient): Gradients {
  return new Map(
    layout.entries.map(({ name, offset, length }, tensor) => {
      const scale = 2 ** -(exponents[tensor] as number) / weight;
      return [name, Float64Array.from(sums.subarray(offset, offset + length), (sum) => sum * scale)];
    }),
  );
}

function ruleOf({ graph, weights, rule }: Scenario, { layout }: StageProgram): UpdateRule {
  const roles = new Map(graph.layers.flatMap((layer) => layer.weights).map(({ name, role }) => [name, role]));
  return {
    optimizer: { kind: 'sgd' },
    rateFactors: layout.entries.map(() => 1),
    roles: layout.entries.map(({ name }) => roles.get(name) as WeightRole),
    l2: rule.l2,
    l2sp: rule.l2sp,
    pretrained: backboneOf(weights),
    clipNorm: rule.clipNorm,
    emaDecay: null,
    stage: { index: 0, name: 'only' },
  };
}

function backboneOf(weights: Weights): Weights {
  return new Map([...weights].filter(([name]) => name.startsWith('backbone/')));
}

function tensorLike(weights: Weights, name: string, data: ArrayLike<number>) {
  return { shape: weights.get(name)?.shape ?? [], data: Float32Array.from(data) };
}

/** A comparison of weights that never moved would show nothing. */
function assertTrained(source: Weights, after: Gradients): void {
  for (const [name, values] of after) {
    const moved = values.some((value, i) => value !== source.get(name)?.data[i]);
    assert.ok(moved, `${name} did not change`);
  }
}

function assertFrozen(model: EngineModel, source: Weights, trainable: readonly string[]): void {
  const frozen = [...source.keys()].filter((name) => !trainable.includes(name));
  assert.ok(frozen.length > 0);
  for (const [name, { data }] of model.readWeights(frozen)) {
    const bits = (values: Float32Array) => new Int32Array(values.buffer, values.byteOffset, values.length);
    assert.deepEqual(bits(data), bits(source.get(name)?.data as Float32Array), `${name} is frozen and changed`);
  }
}

function smallScenario(engine: EngineKind): Scenario {
  const graph = smallGraph();
  const sizes = [5, 6, 4];
  return {
    engine,
    graph,
    weights: drawnWeights(graph),
    preprocessing: smallPreprocessing,
    select: ['head/**', 'backbone/block2_*', 'backbone/block3_*'],
    classes: smallClasses,
    microBatch: 6,
    steps: engine === 'cpu' ? 4 : 20, // plain JavaScript is slow
    rule: { learningRate: 0.05, l2: 1e-2, l2sp: 1e-1, clipNorm: 0.5 },
    batches: async (step) =>
      sizes.map((size, shard) => {
        const sampleIds = Array.from({ length: size }, (_, i) => `sample ${step}/${shard}/${i}`);
        return {
          pixels: Buffer.concat(sampleIds.map(drawnPixels)),
          labels: sampleIds.map((_, i) => (step + shard + i) % smallClasses),
          sampleIds,
          epoch: Math.floor(step / 5),
        };
      }),
  };
}

async function digitsScenario(): Promise<Scenario> {
  const microBatch = 8;
  const prepared = await digitsJob({ microBatch, shards: 2 });
  const { manifest, graph, weights, job } = prepared;
  const { ids, labels } = manifest.sets.train;
  const source = pixelsOf(prepared);
  const orders = shardTrainSet(manifest, job.data.shards).map((rows, shard) =>
    epochOrder({ seed, epoch: 0, shard, rows }),
  );
  return {
    engine: 'tensorflow',
    graph,
    weights,
    preprocessing: job.model.preprocessing,
    select: ['head/**', 'last(2)'],
    classes: manifest.classes.length,
    microBatch,
    steps: 20,
    rule: { learningRate: 0.02, l2: 1e-4, l2sp: 1e-3, clipNorm: 5 },
    async batches(step) {
      const batches: ShardBatch[] = [];
      for (const order of orders) {
        const stepsPerEpoch = Math.ceil(order.length / microBatch);
        const rows = [...microBatchRows({ order, stepInEpoch: step, stepsPerEpoch })];
        const block = await source.loadBlock(rows.map((index) => ({ set: 'train', index, view: 0 })));
        batches.push({
          pixels: block.pixels.subarray(0, (block.pixels.length / blockSize) * rows.length),
          labels: rows.map((row) => labels[row] as number),
          sampleIds: rows.map((row) => ids[row] as string),
          epoch: 0,
        });
      }
      return batches;
    },
  };
}
