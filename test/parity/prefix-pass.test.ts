// What the feature cache relies on, on a real network and the real engine: one pass over the pixels gives the boundaries
// of several stages, and a deeper one continued from a stored shallower one is the same, bit for bit.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { blockSize } from '@thaw/common/data/block-size.ts';
import { plainCrossEntropy } from '@thaw/common/job/loss.ts';
import { boundariesToCome, stageCuts } from '@thaw/common/model/feature-levels.ts';
import type { Partition } from '@thaw/common/model/graph.ts';
import { selectTrainable } from '@thaw/common/model/select.ts';
import { createEngine } from '@thaw/trainer/engine/create-engine.ts';
import { digitsJob, pixelsOf } from '../support/digits-job.ts';
import { skipWithoutTensorflow } from '../support/tensorflow.ts';

const selections = [['head/**'], ['head/**', 'last(1)'], ['head/**', 'last(2)'], ['head/**', 'last(5)']];

describe('one pass over the pixels of a MobileNetV2', { skip: await skipWithoutTensorflow() }, () => {
  it('has the bits of each stage of its own, and so has a pass from one boundary to the next', async () => {
    const prepared = await digitsJob();
    const { graph, weights, job } = prepared;
    const engine = await createEngine({ kind: 'tensorflow', threads: 1, gpus: 0 });
    const model = engine.loadModel(graph, weights, job.model.preprocessing);
    const refs = Array.from({ length: blockSize }, (_, index) => ({ set: 'train', index, view: 0 }) as const);
    const { pixels } = await pixelsOf(prepared).loadBlock(refs);
    const own = selections.map((select) => {
      const trainable = selectTrainable(graph, select).tensors.map(({ name }) => name);
      const program = model.stageProgram({
        trainable,
        seed: 1,
        blockSize,
        microBatch: 16,
        classes: 10,
        loss: plainCrossEntropy,
      });
      const features = program.features(pixels);
      program.dispose();
      return { partition: program.partition, features };
    });
    const cuts = stageCuts(
      graph,
      selections.map((select) => ({ select, batchNorm: 'frozen' })),
    );
    const targets = [own[0]?.partition as Partition, ...boundariesToCome(cuts, 0)];
    assert.equal(targets.length, selections.length);
    assert.ok(model.canPass({ from: null, targets }));
    const pass = model.prefixProgram({ from: null, targets, blockSize });
    for (const [i, found] of pass.run(pixels, [...targets.keys()]).entries()) {
      assert.deepEqual(found, own[i]?.features, targets[i]?.boundary.join());
    }
    pass.dispose();
    for (const [i, { partition, features }] of own.entries()) {
      const deeper = own.slice(0, i);
      if (deeper.length === 0) continue;
      const between = { from: partition, targets: deeper.map((one) => one.partition), blockSize };
      assert.ok(model.canPass(between));
      const continued = model.prefixProgram(between);
      const rows = new Uint8Array(features.buffer, features.byteOffset, features.byteLength);
      assert.deepEqual(
        continued.run(rows, [...deeper.keys()]),
        deeper.map((one) => one.features),
      );
      continued.dispose();
    }
    model.dispose();
  });
});
