import assert from 'node:assert/strict';
import { test } from 'node:test';
import { convolution, functional, kerasInput, kerasLayer } from '../../../test/support/fixtures/keras-topology.ts';
import { tinyGraph, tinyOutput } from '../../../test/support/fixtures/tiny-graph.ts';
import type { ErrorCode } from '../errors/catalogue.ts';
import { ThawError } from '../errors/thaw-error.ts';
import type { HeadLayer } from '../job/resolved-job.ts';
import { headNames, initialHeadWeights, replaceHead } from './head.ts';
import { readLayersModel } from './layers-model.ts';

const pooling: HeadLayer = { kind: 'globalAveragePooling' };
const dense: HeadLayer = { kind: 'dense', units: 5, activation: 'relu', useBias: true };

/** [name, shape] of the layers that a head becomes on the tiny model's 6 x 6 x 16. */
const headOf = (...head: HeadLayer[]): (readonly [string, readonly number[]])[] =>
  tinyGraph({ head: [...head, tinyOutput] })
    .layers.filter(({ path }) => path.startsWith('head/'))
    .map(({ path, outputShape }) => [path.slice(5), outputShape]);

test('every kind of head layer', () => {
  for (const [head, expected] of [
    [[pooling], [['global_average_pooling', [16]]]],
    [[{ kind: 'globalMaxPooling' }], [['global_max_pooling', [16]]]],
    [[{ kind: 'flatten' }], [['flatten', [576]]]],
    [
      [pooling, dense, dense],
      [
        ['global_average_pooling', [16]],
        ['dense', [5]],
        ['dense_1', [5]],
      ],
    ],
    [
      [pooling, { kind: 'dropout', rate: 0.5 }],
      [
        ['global_average_pooling', [16]],
        ['dropout', [16]],
      ],
    ],
    [
      [{ kind: 'batchNormalization', momentum: 0.9, epsilon: 1e-3 }, pooling],
      [
        ['batch_normalization', [6, 6, 16]],
        ['global_average_pooling', [16]],
      ],
    ],
    [
      [{ kind: 'activation', activation: 'relu' }, pooling],
      [
        ['activation', [6, 6, 16]],
        ['global_average_pooling', [16]],
      ],
    ],
  ] as const) {
    assert.deepEqual(headOf(...head), [...expected, ['output', [3]]]);
  }
});

test('names count up within their kind', () => {
  assert.deepEqual(headNames(['dense', 'dropout', 'dense', 'dense']), ['dense', 'dropout', 'dense_1', 'dense_2']);
});

test('the old classifier and every branch beside the cut are gone, and their order stays', () => {
  assert.deepEqual(
    tinyGraph({ cut: 'block2_relu' }).layers.map(({ path }) => path),
    [
      ...['input_1', 'block1_conv', 'block1_bn', 'block1_relu', 'block2_conv', 'block2_bn', 'block2_relu'].map(
        (name) => `backbone/${name}`,
      ),
      'head/global_average_pooling',
      'head/output',
    ],
  );
});

test('another input size gives other shapes and the same weights', () => {
  const [small, large] = [tinyGraph(), tinyGraph({ size: 48 })];
  assert.deepEqual(large.layers.find(({ path }) => path === 'backbone/block3_conv')?.outputShape, [12, 12, 16]);
  assert.deepEqual(
    large.layers.map(({ weights }) => weights),
    small.layers.map(({ weights }) => weights),
  );
});

const refused: readonly (readonly [what: string, run: () => unknown, code: ErrorCode, message: RegExp])[] = [
  [
    'a dense layer on a picture',
    () => headOf(dense),
    'HeadMismatch',
    /^head\/dense \(Dense\): found an input of shape \[6,6,16\]; expected a vector\. Put globalAveragePooling or flatten before it$/,
  ],
  [
    'no pooling before the output',
    () => headOf(),
    'HeadMismatch',
    /^head\/output \(Dense\): found an input of shape \[6,6,16\]; expected a vector/,
  ],
  [
    'pooling a vector',
    () => headOf(pooling, pooling),
    'HeadMismatch',
    /^head\/global_average_pooling_1 \(GlobalAveragePooling2D\): found an input of shape \[16\]; expected \[height, width, channels\]/,
  ],
  [
    'a misspelt cut',
    () => tinyGraph({ cut: 'block3_cnov' }),
    'JobInvalid',
    /^spec\.model\.cut: there is no layer "block3_cnov"; there are for example block3_conv/,
  ],
  [
    'a cut that is near nothing',
    () => tinyGraph({ cut: 'zzzzzzzzzzzz' }),
    'JobInvalid',
    /there are for example block3_conv, avg_pool, predictions$/,
  ],
];

for (const [what, run, code, message] of refused) {
  test(`refused: ${what}`, () => {
    assert.throws(run, (thrown) => {
      assert.ok(thrown instanceof ThawError && thrown.code === code, String(thrown));
      assert.match(thrown.message, message);
      return true;
    });
  });
}

test('a size that would change weights is refused', () => {
  const graph = readLayersModel(
    functional([
      kerasInput(),
      convolution('conv', ['input']),
      kerasLayer('Flatten', 'flat', ['conv']),
      kerasLayer('Dense', 'fc', ['flat'], { units: 3 }),
    ]),
    { prefix: 'backbone' },
  );
  const options = { cut: 'fc', head: [tinyOutput], inputSize: { height: 8, width: 8 } };
  assert.equal(replaceHead(graph, options).output, 'head/output');
  assert.throws(
    () => replaceHead(graph, { ...options, inputSize: { height: 16, width: 16 } }),
    /backbone\/fc\/kernel has a shape that depends on the input's size, so model\.input\.size cannot be 16 x 16/,
  );
});

test('two layers that the result could not tell apart are refused', () => {
  const graph = readLayersModel(
    functional([kerasInput(), convolution('head_output', ['input']), kerasLayer('Flatten', 'flat', ['head_output'])]),
    { prefix: 'backbone' },
  );
  assert.throws(
    () => replaceHead(graph, { cut: 'flat', head: [tinyOutput], inputSize: { height: 8, width: 8 } }),
    /found the layers backbone\/head_output and head\/output, which would both be called "head_output"/,
  );
});

test('first values follow seed and name alone: Glorot uniform kernels, ones for scales, zeros for the rest', () => {
  const norm: HeadLayer = { kind: 'batchNormalization', momentum: 0.9, epsilon: 1e-3 };
  const graph = tinyGraph({ head: [pooling, dense, norm, tinyOutput] });
  const weights = initialHeadWeights(graph, 7);
  const dataOf = (name: string, from = weights): Float32Array => from.get(`head/${name}`)?.data as Float32Array;
  const limit = Math.sqrt(6 / (16 + 5));
  assert.ok(dataOf('dense/kernel').every((value) => Math.abs(value) <= limit));
  assert.ok(Math.max(...dataOf('dense/kernel')) > 0.8 * limit && Math.min(...dataOf('dense/kernel')) < -0.8 * limit);
  for (const name of ['dense/bias', 'output/bias', 'batch_normalization/beta', 'batch_normalization/moving_mean'])
    assert.ok(dataOf(name).every((value) => value === 0));
  for (const name of ['batch_normalization/gamma', 'batch_normalization/moving_variance'])
    assert.ok(dataOf(name).every((value) => value === 1));
  assert.deepEqual(initialHeadWeights(graph, 7), weights);
  assert.notDeepEqual(dataOf('output/kernel', initialHeadWeights(graph, 8)), dataOf('output/kernel'));
  const without = initialHeadWeights(tinyGraph({ head: [pooling, dense, tinyOutput] }), 7);
  assert.deepEqual(dataOf('output/kernel', without), dataOf('output/kernel'));
});
