import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { blocksOf } from '@thaw/common/model/blocks.ts';
import type { Graph } from '@thaw/common/model/graph.ts';
import { replaceHead } from '@thaw/common/model/head.ts';
import { partitionFor } from '@thaw/common/model/partition.ts';
import { selectTrainable } from '@thaw/common/model/select.ts';
import { type ModelSource, openModelSource } from './open-model-source.ts';

const size = { height: 96, width: 96 };
let source: ModelSource;
let graph: Graph;

before(async () => {
  source = await openModelSource('example:nsfwjs-mobilenet-v2', { baseDirectory: '.' });
  const output = { kind: 'dense', units: 3, activation: 'softmax', useBias: true } as const;
  const head = [{ kind: 'globalAveragePooling' }, output] as const;
  graph = replaceHead(source.graph, { cut: source.defaultCut, head, inputSize: size });
});

test('the old classifier is cut off', () => {
  assert.equal(source.defaultCut, 'out_relu');
  assert.equal(graph.layers.find(({ path }) => path === 'backbone/out_relu')?.outputShape.join(), '3,3,1280');
});

test('MobileNetV2 has its blocks: first convolutions, 16 named bottlenecks, the last convolution', () => {
  const bottlenecks = Array.from({ length: 16 }, (_, i) => `block_${i + 1}`);
  assert.deepEqual(
    blocksOf(graph).map(({ name }) => name),
    ['Conv1', 'expanded_conv_depthwise', 'expanded_conv_project', ...bottlenecks, 'Conv_1'],
  );
});

test('every layer with weights is in exactly one block', () => {
  const inBlocks = blocksOf(graph).flatMap(({ layers }) => layers);
  const weighted = graph.layers.filter(({ path, weights }) => path.startsWith('backbone/') && weights.length > 0);
  assert.deepEqual([...inBlocks].sort(), weighted.map(({ path }) => path).sort());
});

test('the last two blocks train 22 tensors with the head, behind a boundary of one tensor', () => {
  const { tensors } = selectTrainable(graph, ['last(2)', 'head/**']);
  const { boundary } = partitionFor(
    graph,
    tensors.map(({ name }) => name),
  );
  assert.equal(tensors.filter(({ name }) => name.startsWith('backbone/')).length, 12);
  assert.deepEqual(boundary, ['backbone/block_15_add']);
});
