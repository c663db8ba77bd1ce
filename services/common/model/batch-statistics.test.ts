import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tinyGraph } from '../../../test/support/fixtures/tiny-graph.ts';
import type { ResolvedStage } from '../job/resolved-job.ts';
import { stageStatistics, statisticsNames } from './batch-statistics.ts';
import { addLayer } from './infer.ts';

const graph = tinyGraph();
const statisticsOf = (batchNorm: ResolvedStage['batchNorm'], ...select: string[]) =>
  stageStatistics(graph, { select, batchNorm });
const paths = (layout: ReturnType<typeof statisticsOf>['moved']): string[] => layout.entries.map(({ path }) => path);

for (const [batchNorm, select, moved, adapted] of [
  ['frozen', ['**'], [], []],
  ['train', ['**'], ['backbone/block1_bn', 'backbone/block2_bn'], []],
  ['train', ['head/**', 'last(2)'], ['backbone/block2_bn'], []],
  ['adapt', ['head/**'], [], ['backbone/block1_bn', 'backbone/block2_bn']],
  ['adapt', ['head/**', 'last(2)'], [], ['backbone/block1_bn']],
] as const) {
  test(`${batchNorm} in a stage of ${select}: ${moved.length} move, ${adapted.length} are adapted`, () => {
    const statistics = statisticsOf(batchNorm, ...select);
    assert.deepEqual(paths(statistics.moved), moved);
    assert.deepEqual(paths(statistics.adapted), adapted);
  });
}

test('means and variances lie side by side, layer after layer', () => {
  const { moved } = statisticsOf('train', '**');
  assert.deepEqual(
    moved.entries.map(({ offset, channels, valuesPerSample }) => [offset, channels, valuesPerSample]),
    [
      [0, 8, 12 * 12],
      [16, 16, 6 * 6],
    ],
  );
  assert.equal(moved.length, 48);
  assert.deepEqual(statisticsNames(moved).slice(0, 2), [
    'backbone/block1_bn/moving_mean',
    'backbone/block1_bn/moving_variance',
  ]);
});

test('a normalisation with nothing to train is thawed with the layers around it', () => {
  const layers = new Map(graph.layers.map((layer) => [layer.path, layer]));
  const plain = { center: false, scale: false };
  const config = { axis: -1, epsilon: 1e-3, ...plain };
  addLayer(layers, { path: 'head/bn', kind: 'BatchNormalization', config, inputs: ['head/output'] });
  const more = { ...graph, layers: [...layers.values()] };
  const { moved } = stageStatistics(more, { select: ['head/**'], batchNorm: 'train' });
  assert.deepEqual(paths(moved), ['head/bn']);
});

for (const [batchNorm, select, message] of [
  [
    'train',
    'head/**',
    /^batchNorm: found train, but no layer that it thaws is a batch normalisation; expected frozen$/,
  ],
  ['adapt', '**', /^batchNorm: found adapt, but no layer that it leaves frozen is a batch normalisation/],
] as const) {
  test(`${batchNorm} without a layer for it is refused`, () => {
    assert.throws(() => statisticsOf(batchNorm, select), { code: 'JobInvalid', message });
  });
}
