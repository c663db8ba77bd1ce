// The norms of blocks against gradients that are summed by hand, sample by sample.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blockSize } from '@thaw/common/data/block-size.ts';
import { plainCrossEntropy } from '@thaw/common/job/loss.ts';
import { rankableBlocks } from '@thaw/common/model/ranked.ts';
import { selectTrainable } from '@thaw/common/model/select.ts';
import type { SampleRef } from '../cache/level.ts';
import { collectiveAlone, generationAlone } from '../collective/alone.ts';
import { newBoardBuffer, progressBoard } from '../comms/progress-board.ts';
import { createEngine } from '../engine/create-engine.ts';
import type { EngineModel } from '../engine/engine.ts';
import { drawnPixels, drawnWeights, smallClasses, smallGraph, smallPreprocessing } from '../testing/small-network.ts';
import type { JobContext } from './job-context.ts';
import { measureBlocks, type RankWork } from './rank-blocks.ts';
import { tensorSetOf } from './stage-runtime.ts';

const graph = smallGraph();
const source = drawnWeights(graph);
/** The third shard has no sample. */
const shards = [Uint32Array.from({ length: 20 }, (_, i) => i), Uint32Array.of(20, 21, 22), new Uint32Array(0)];
const ids = Array.from({ length: 23 }, (_, i) => `sample ${i}`);
const labels = ids.map((_, i) => i % smallClasses);

const context = {
  job: { train: { seed: 3, loss: plainCrossEntropy, classWeights: [1, 2, 1, 0.5] } },
  graph,
  source,
  manifest: { classes: ['a', 'b', 'c', 'd'], sets: { train: { ids, labels } } },
  shards,
} as unknown as JobContext;

const pixelsOf = (refs: readonly SampleRef[], bad: number): Uint8Array => {
  const pixels = new Uint8Array(blockSize * drawnPixels('').length);
  for (const [row, { index }] of refs.entries()) {
    if (index !== bad) pixels.set(drawnPixels(ids[index] as string), row * drawnPixels('').length);
  }
  return pixels;
};

async function measured(model: EngineModel, bad = -1) {
  const collective = collectiveAlone();
  const generation = generationAlone(shards.length, 'alone');
  const link = {
    board: progressBoard(newBoardBuffer()),
    check: () => {},
    interruptible: <T>(work: Promise<T>) => work,
  };
  try {
    const ranked = await measureBlocks({
      step: 8,
      revision: 1,
      hosted: [0, 1, 2],
      context,
      model,
      loadBlock: async (refs) => ({ pixels: pixelsOf(refs, bad), present: refs.map(({ index }) => index !== bad) }),
      collective,
      open: (layout) =>
        collective.open({
          generation,
          stage: 1,
          self: 0,
          layout,
          tensorSet: tensorSetOf(layout),
          shards: shards.length,
        }),
      link: link as unknown as RankWork['link'],
    });
    return { ...ranked, ticks: link.board.get('ticks') };
  } finally {
    await collective.close();
  }
}

/** Norms of the mean gradient, by block, from batches of one sample. */
function byHand(model: EngineModel, bad: number): Map<string, number> {
  const blocks = rankableBlocks(graph);
  const trainable = (layers: readonly string[]) => selectTrainable(graph, [...layers]).tensors.map(({ name }) => name);
  const program = model.stageProgram({
    trainable: blocks.flatMap(({ layers }) => trainable(layers)),
    seed: 3,
    blockSize,
    microBatch: 1,
    classes: smallClasses,
    loss: plainCrossEntropy,
  });
  const sum = new Float64Array(program.layout.length);
  const used = ids.flatMap((_, index) => (index === bad ? [] : [index]));
  for (const index of used) {
    const features = program.features(pixelsOf([{ set: 'train', index, view: 0 }], -1));
    const gradient = new Float32Array(sum.length);
    const label = labels[index] as number;
    program.gradients(
      {
        features: features.slice(0, features.length / blockSize),
        labels: Int32Array.of(label),
        weights: Float32Array.of(context.job.train.classWeights?.[label] ?? 1),
        sampleIds: [ids[index] as string],
        epoch: 0,
      },
      gradient,
    );
    for (const [i, value] of gradient.entries()) sum[i] = (sum[i] as number) + value;
  }
  const norms = new Map<string, number>();
  for (const { name, layers } of blocks) {
    const names = new Set(trainable(layers));
    const entries = program.layout.entries.filter((entry) => names.has(entry.name));
    const parts = entries.flatMap(({ offset, length }) => [...sum.subarray(offset, offset + length)]);
    norms.set(name, Math.hypot(...parts) / used.length);
  }
  program.dispose();
  return norms;
}

for (const [what, bad] of [
  ['over all samples of every shard', -1],
  ['without one that cannot be read', 4],
] as const) {
  test(`the norm of a block is that of its mean gradient, ${what}`, async () => {
    const engine = await createEngine({ kind: 'cpu', threads: 1, gpus: 0 });
    const model = engine.loadModel(graph, source, smallPreprocessing);
    const { blocks, count, ticks } = await measured(model, bad);
    assert.equal(count, bad < 0 ? 23 : 22);
    assert.equal(ticks, 3, 'a sign of life for each micro-batch, not for each shard');
    const expected = byHand(model, bad);
    assert.deepEqual(
      blocks.map(({ block }) => block),
      rankableBlocks(graph).map(({ name }) => name),
    );
    for (const { block, gradient, weights } of blocks) {
      const wanted = expected.get(block) ?? 0;
      assert.ok(wanted > 0 && Math.abs(gradient - wanted) < 1e-4 * wanted, `${block}: ${gradient}, by hand ${wanted}`);
      const layers = rankableBlocks(graph).find(({ name }) => name === block)?.layers ?? [];
      const values = selectTrainable(graph, [...layers]).tensors.flatMap(({ name }) => [
        ...(source.get(name)?.data ?? []),
      ]);
      assert.ok(Math.abs(weights - Math.hypot(...values)) < 1e-6 * weights, block);
    }
  });
}
