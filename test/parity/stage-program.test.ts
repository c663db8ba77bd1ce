// What the trainer relies on in a stage's program: features that depend on the sample alone, a boundary as small as it
// can be, and no tensor left behind.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { blockSize } from '@thaw/common/data/block-size.ts';
import { plainCrossEntropy } from '@thaw/common/job/loss.ts';
import { selectTrainable } from '@thaw/common/model/select.ts';
import { createEngine } from '@thaw/trainer/engine/create-engine.ts';
import type { Engine, EngineModel, StageProgram } from '@thaw/trainer/engine/engine.ts';
import {
  drawnPixels,
  drawnWeights,
  smallClasses,
  smallGraph,
  smallPreprocessing,
} from '@thaw/trainer/testing/small-network.ts';
import { digitsJob, pixelsOf } from '../support/digits-job.ts';
import { skipWithoutTensorflow } from '../support/tensorflow.ts';

const skip = await skipWithoutTensorflow();
const microBatch = 16;

describe('the stages of a pretrained MobileNetV2', { skip }, () => {
  it('have features that depend on the sample alone, and a vector behind global average pooling', async (t) => {
    const prepared = await digitsJob();
    const { graph, weights, job, stages } = prepared;
    const engine = await createEngine({ kind: 'tensorflow', threads: 1, gpus: 0 });
    const model = engine.loadModel(graph, weights, job.model.preprocessing);
    const indices = Array.from({ length: blockSize }, (_, i) => i);
    const { pixels } = await pixelsOf(prepared).loadBlock(indices.map((index) => ({ set: 'train', index, view: 0 })));
    const found = stages.map(({ trainable }) => {
      const names = trainable.map(({ name }) => name);
      const program = model.stageProgram({
        trainable: names,
        seed: 1,
        blockSize,
        microBatch,
        classes: 10,
        loss: plainCrossEntropy,
      });
      assertAlone(program, pixels);
      t.diagnostic(costOf(program, pixels));
      const { boundary, boundaryFloats } = program.partition;
      program.dispose();
      return { boundary, boundaryFloats };
    });
    model.dispose();
    assert.deepEqual(found, [
      { boundary: ['head/global_average_pooling'], boundaryFloats: 1280 },
      { boundary: ['backbone/block_15_add'], boundaryFloats: 3 * 3 * 160 },
    ]);
  });
});

/** Median times on one thread: information, no promise, as other processes share the machine. */
function costOf(program: StageProgram, pixels: Uint8Array): string {
  const { partition, layout } = program;
  const features = program.features(pixels).slice(0, microBatch * partition.boundaryFloats);
  const sampleIds = Array.from({ length: microBatch }, (_, i) => `sample ${i}`);
  const weights = new Float32Array(microBatch).fill(1);
  const batch = { features, labels: new Int32Array(microBatch), weights, sampleIds, epoch: 0 };
  const gradient = new Float32Array(layout.length);
  const prefix = medianMilliseconds(() => program.features(pixels));
  const step = medianMilliseconds(() => program.gradients(batch, gradient));
  const suffix = `${layout.entries.length} tensors, micro-batch ${microBatch}: forward, backward and read ${step} ms`;
  return `${suffix}; prefix block of ${blockSize}: ${prefix} ms`;
}

function medianMilliseconds(work: () => void): string {
  const times = Array.from({ length: 11 }, () => {
    const start = performance.now();
    work();
    return performance.now() - start;
  }).sort((a, b) => a - b);
  return (times[5] as number).toFixed(1);
}

/** The features of every sample in order, reversed, among copies of its neighbour, and with black neighbours. */
function assertAlone(program: StageProgram, pixels: Uint8Array): void {
  const expected = rowsOf(program.features(pixels));
  const images = rowsOf(pixels);
  assert.ok(new Set(expected.map((row) => row.join())).size === blockSize, 'samples have equal features');
  const reversed = rowsOf(program.features(Buffer.concat([...images].reverse()))).reverse();
  assert.deepEqual(reversed, expected);
  const place = 13;
  for (const neighbour of [images[1] as Uint8Array, new Uint8Array(images[0]?.length ?? 0)]) {
    const block = images.map((_, row) => (row === place ? (images[5] as Uint8Array) : neighbour));
    assert.deepEqual(rowsOf(program.features(Buffer.concat(block)))[place], expected[5]);
  }
}

function rowsOf<T extends Uint8Array | Float32Array>(block: T): T[] {
  const size = block.length / blockSize;
  return Array.from({ length: blockSize }, (_, row) => block.slice(row * size, (row + 1) * size) as T);
}

for (const kind of ['cpu', 'wasm', 'tensorflow'] as const) {
  describe(`memory on ${kind}`, { skip: kind === 'tensorflow' && skip }, () => {
    it('stays as it is over steps, and returns to where it was after each stage', async () => {
      const engine = await createEngine({ kind, threads: 1, gpus: 0 });
      const before = engine.memory().tensors;
      const graph = smallGraph();
      const model = engine.loadModel(graph, drawnWeights(graph), smallPreprocessing);
      const loaded = engine.memory().tensors;
      for (const select of [['head/**'], ['head/**', 'last(1)'], ['**']]) {
        const trainable = selectTrainable(graph, select).tensors.map(({ name }) => name);
        const program = model.stageProgram({
          trainable,
          seed: 1,
          blockSize,
          microBatch,
          classes: smallClasses,
          loss: plainCrossEntropy,
        });
        assertSteady(engine, model, program);
        program.dispose();
        assert.equal(engine.memory().tensors, loaded, `after the stage of ${select}`);
      }
      model.dispose();
      assert.equal(engine.memory().tensors, before);
    });
  });
}

function assertSteady(engine: Engine, model: EngineModel, program: StageProgram): void {
  const gradientSteps = engine.engineClass.engine === 'cpu' ? 2 : 50; // plain JavaScript is slow
  const { partition, layout } = program;
  const ids = Array.from({ length: blockSize }, (_, i) => `sample ${i}`);
  const pixels = Buffer.concat(ids.map(drawnPixels));
  const open = engine.memory().tensors;
  const features = program.features(pixels);
  program.probabilities(features);
  const batch = {
    features: features.subarray(0, microBatch * partition.boundaryFloats),
    labels: new Int32Array(microBatch),
    weights: new Float32Array(microBatch).fill(1),
    sampleIds: ids.slice(0, microBatch),
    epoch: 0,
  };
  const gradient = new Float32Array(layout.length);
  for (let step = 0; step < gradientSteps; step++) {
    program.gradients(batch, gradient);
    model.writeWeights(model.readWeights(layout.entries.map(({ name }) => name)));
    assert.equal(engine.memory().tensors, open, `after step ${step}`);
  }
}
