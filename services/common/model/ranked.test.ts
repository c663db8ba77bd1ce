import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tinyGraph } from '../../../test/support/fixtures/tiny-graph.ts';
import { ThawError } from '../errors/thaw-error.ts';
import { blocksOf } from './blocks.ts';
import type { Graph, Layer } from './graph.ts';
import { parametersOf } from './parameters.ts';
import {
  rankableBlocks,
  rankedBlocksMax,
  rankedCount,
  requireRankable,
  withBlocksBySize,
  withEveryBlock,
  withRanked,
} from './ranked.ts';
import { selectTrainable } from './select.ts';

const graph = tinyGraph();
const names = rankableBlocks(graph).map(({ name }) => name);

test('blocks are listed from output to input', () => {
  assert.deepEqual(
    names,
    blocksOf(graph)
      .map(({ name }) => name)
      .reverse(),
  );
  assert.ok(names.length >= 3);
});

test('ranked(n) becomes the first n of the order, and nothing else changes', () => {
  const order = [...names].reverse();
  for (const [select, expected] of [
    [['head/**'], ['head/**']],
    [
      ['head/**', 'ranked(1)'],
      ['head/**', `block(${order[0]})`],
    ],
    [
      ['ranked(2)', 'last(1)'],
      [`block(${order[0]})`, `block(${order[1]})`, 'last(1)'],
    ],
    [
      ['ranked(1)', 'ranked(2)'],
      [`block(${order[0]})`, `block(${order[1]})`],
    ],
  ] as const) {
    assert.deepEqual(withRanked({ select }, order).select, expected);
  }
  assert.deepEqual([rankedCount(['head/**']), rankedCount(['ranked(1)', 'ranked(3)'])], [null, 3]);
});

test('what is planned bounds every order that can be measured', () => {
  const parameters = (select: readonly string[]): number =>
    selectTrainable(graph, select).tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  const stage = { select: ['head/**', 'ranked(1)'] };
  const [most, least] = (['largest', 'smallest'] as const).map((which) =>
    parameters(withBlocksBySize(stage, graph, which).select),
  );
  const sizes = names.map((name) => parameters(withRanked(stage, [name]).select));
  assert.deepEqual([most, least], [Math.max(...sizes), Math.min(...sizes)]);
  assert.ok((least ?? 0) < (most ?? 0));
  const every = parameters(withEveryBlock(stage, graph).select);
  const [, ...backbone] = sizes;
  assert.ok(every > (most ?? 0) && every <= parametersOf(graph.layers) && backbone.length > 0);
});

test('more blocks than there are, or none, are refused', () => {
  for (const pattern of ['ranked(0)', `ranked(${names.length + 1})`]) {
    assert.throws(
      () => requireRankable(graph, ['head/**', pattern]),
      (thrown) =>
        thrown instanceof ThawError &&
        thrown.message.startsWith(`trainable: found "${pattern}"; expected ranked(1) to ranked(${names.length})`),
    );
  }
  requireRankable(graph, ['head/**', `ranked(${names.length})`]);
});

test('more blocks than can be ranked are refused where some are to be, and nowhere else', () => {
  const [dense] = graph.layers.filter(({ kind }) => kind === 'Dense') as [Layer];
  const deep = (blocks: number): Graph => {
    const layers = Array.from({ length: blocks }, (_, i) => {
      return { ...dense, path: `backbone/dense_${i}`, inputs: [i === 0 ? 'input' : `backbone/dense_${i - 1}`] };
    });
    return { ...graph, layers };
  };
  requireRankable(deep(rankedBlocksMax), ['ranked(3)']);
  requireRankable(deep(rankedBlocksMax + 1), ['last(3)']);
  assert.throws(
    () => requireRankable(deep(rankedBlocksMax + 1), ['ranked(3)']),
    new RegExp(`found "ranked\\(3\\)" and a backbone of ${rankedBlocksMax + 1} blocks; at most ${rankedBlocksMax}`),
  );
});

test('block(NAME) selects one block, and an unknown one is refused with a near name', () => {
  const [last] = blocksOf(graph).slice(-1);
  const { layers } = selectTrainable(graph, [`block(${last?.name})`]);
  assert.deepEqual(layers, selectTrainable(graph, ['last(1)']).layers);
  assert.throws(
    () => selectTrainable(graph, ['block(none)']),
    /trainable: found "block\(none\)"; expected one of the backbone's \d+ blocks, such as /,
  );
});
