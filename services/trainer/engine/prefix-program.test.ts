import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plainCrossEntropy } from '@thaw/common/job/loss.ts';
import { partitionFor } from '@thaw/common/model/partition.ts';
import { selectTrainable } from '@thaw/common/model/select.ts';
import { drawnPixels, drawnWeights, smallClasses, smallGraph, smallPreprocessing } from '../testing/small-network.ts';
import { createEngine } from './create-engine.ts';

const blockSize = 4;
const graph = smallGraph();
const pixels = Uint8Array.from(Array.from({ length: blockSize }, (_, i) => [...drawnPixels(`sample ${i}`)]).flat());
/** Deepest boundary first. */
const selections = [['head/output'], ['head/**'], ['head/**', 'last(1)'], ['head/**', 'backbone/block2_*']];

async function theModel() {
  const engine = await createEngine({ kind: 'cpu', threads: 1, gpus: 0 });
  return { engine, model: engine.loadModel(graph, drawnWeights(graph), smallPreprocessing) };
}

function partitionOf(select: readonly string[]) {
  return partitionFor(
    graph,
    selectTrainable(graph, select).tensors.map(({ name }) => name),
  );
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) => new Uint8Array(buffer, byteOffset, byteLength);

test('every boundary has the bits of its own program, from pixels in one pass and from any boundary before it', async () => {
  const { engine, model } = await theModel();
  const partitions = selections
    .map(partitionOf)
    .filter((one, i, all) => one.boundary.join() !== all[i - 1]?.boundary.join());
  const own = selections.map((select) => {
    const trainable = selectTrainable(graph, select).tensors.map(({ name }) => name);
    const options = { trainable, seed: 1, blockSize, microBatch: 4, classes: smallClasses, loss: plainCrossEntropy };
    const program = model.stageProgram(options);
    const features = program.features(pixels);
    program.dispose();
    return [program.partition.boundary.join(), features] as const;
  });
  const ownOf = new Map(own);
  const before = engine.memory().tensors;
  assert.ok(partitions.length >= 3);
  for (const [start, from] of [null, ...partitions].entries()) {
    const targets = from === null ? partitions : partitions.slice(0, start - 1);
    if (targets.length === 0) continue;
    assert.ok(model.canPass({ from, targets }));
    const program = model.prefixProgram({ from, targets, blockSize });
    const input = from === null ? pixels : bytesOf(ownOf.get(from.boundary.join()) as Float32Array);
    const found = program.run(input, [...targets.keys()]);
    for (const [i, { boundary }] of targets.entries())
      assert.deepEqual(found[i], ownOf.get(boundary.join()), boundary.join());
    assert.deepEqual(program.run(input, [targets.length - 1]), found.slice(-1), 'the wanted ones only');
    program.dispose();
  }
  assert.equal(engine.memory().tensors, before);
});

test('a boundary whose normalisation another one folds cannot be passed: its bits would differ', async () => {
  const { model } = await theModel();
  const whole = partitionOf(['head/**']);
  const atConvolution = partitionFor(graph, ['backbone/block3_bn/gamma']);
  const unfolded = { ...partitionOf(['head/**', 'last(2)']), boundary: ['backbone/block1_conv'] };
  assert.ok(model.canPass({ from: null, targets: [whole, atConvolution] }), 'an activation lies between');
  assert.equal(model.canPass({ from: null, targets: [whole, unfolded] }), false);
});
