import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { convolution, functional, kerasInput, kerasLayer } from '../../../test/support/fixtures/keras-topology.ts';
import { ThawError } from '../errors/thaw-error.ts';
import { readLayersModel } from './layers-model.ts';
import { matchLayers } from './match-layers.ts';
import { type StoredArray, type StoredLayer, snakeCase, splitCounter } from './stored-layer.ts';

/** A chain of convolutions of 3 to 4, then 4 to 4, filters. */
const chainOf = (...names: readonly string[]) =>
  readLayersModel(functional([kerasInput(), ...names.map((name, i) => convolution(name, [names[i - 1] ?? 'input']))]), {
    prefix: 'backbone',
  });

const array = (name: string, shape: readonly number[], value = 0): StoredArray => ({
  name,
  tensor: { shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value) },
});

/** A stored convolution whose values tell which it is. */
function stored(
  name: string | null,
  value: number,
  changes: Partial<StoredLayer> & { channels?: number } = {},
): StoredLayer {
  const { channels = 4, ...rest } = changes;
  const arrays = [array('kernel', [3, 3, channels, 4], value), array('bias', [4], value)];
  return { name, kind: null, counter: 0, place: `layers/${name}`, arrays, ...rest };
}

const first = { channels: 3 };

/** First value of each kernel, in the graph's order. */
const kernelsOf = (graph: ReturnType<typeof chainOf>, layers: readonly StoredLayer[]): (number | undefined)[] =>
  [...matchLayers(graph, layers, 'm.h5')].filter(([name]) => name.endsWith('kernel')).map(([, { data }]) => data[0]);

const matched: readonly (readonly [what: string, names: readonly string[], layers: readonly StoredLayer[]])[] = [
  ['chosen names, in any order', ['a', 'b', 'c'], [stored('c', 3), stored('a', 1, first), stored('b', 2)]],
  [
    'automatic names that count from elsewhere, though some are the same',
    ['conv2d', 'conv2d_1', 'conv2d_2'],
    [stored('conv2d_2', 2), stored('conv2d_1', 1, first), stored('conv2d_3', 3)],
  ],
  [
    'automatic names count as numbers',
    ['conv2d', 'conv2d_1', 'conv2d_2'],
    [stored('conv2d_10', 2), stored('conv2d_11', 3), stored('conv2d_9', 1, first)],
  ],
  [
    'equal automatic names are taken as they are, in any order',
    ['conv2d_1', 'conv2d'],
    [stored('conv2d', 2), stored('conv2d_1', 1, first)],
  ],
  [
    'chosen and automatic names side by side',
    ['stem', 'conv2d', 'conv2d_1'],
    [stored('conv2d_7', 3), stored('conv2d_6', 2), stored('stem', 1, first)],
  ],
  [
    'layers without names, by class and counter',
    ['a', 'b'],
    [stored(null, 2, { kind: 'conv2d', counter: 1 }), stored(null, 1, { kind: 'conv2d', counter: 0, ...first })],
  ],
  [
    'a layer inside of a model that the graph does not have',
    ['a', 'b'],
    [stored('outer/b', 2), stored('outer/a', 1, first)],
  ],
];

for (const [what, names, layers] of matched) {
  test(`matched: ${what}`, () => {
    assert.deepEqual(
      kernelsOf(chainOf(...names), layers),
      names.map((_, i) => i + 1),
    );
  });
}

test('arrays are matched by name, and by place where the names are not ours', () => {
  const bn = readLayersModel(functional([kerasInput(), kerasLayer('BatchNormalization', 'bn', ['input'])]), {
    prefix: 'backbone',
  });
  const valuesFor = (...names: string[]): (number | undefined)[] => {
    const arrays = names.map((name, i) => array(name, [3], i));
    return [...matchLayers(bn, [{ ...stored('bn', 0), arrays }], 'm').values()].map(({ data }) => data[0]);
  };
  assert.deepEqual(valuesFor('moving_variance', 'beta', 'moving_mean', 'gamma'), [3, 1, 2, 0]);
  assert.deepEqual(valuesFor('0', '1', '2', '3'), [0, 1, 2, 3]);
  assert.throws(() => valuesFor('0', '1', '2'), /bn: found 3 arrays \(0 \[3\], .*expected gamma, beta, moving_mean/);
});

test('what is missing, surplus and misshapen is said at once', () => {
  const layers = [stored('a', 1), stored('other', 2), stored(null, 3, { kind: 'dense', place: 'layers/dense' })];
  assert.throws(
    () => matchLayers(chainOf('a', 'b'), layers, 'm.h5'),
    (thrown) => {
      assert.ok(thrown instanceof ThawError && thrown.code === 'ModelInvalid');
      assert.deepEqual(thrown.message.split('\n'), [
        'm.h5: weights do not fit the layers:',
        '  backbone/a/kernel: found shape [3,3,4,4]; expected [3,3,3,4]',
        '  backbone/b is missing (kernel, bias)',
        '  other belongs to no layer',
        '  layers/dense belongs to no layer',
      ]);
      return true;
    },
  );
});

test('layers without names that count in several models are never guessed at', () => {
  const inner = stored(null, 1, { kind: 'conv2d', place: 'layers/functional/layers/conv2d', ...first });
  const outer = stored(null, 2, { kind: 'conv2d', place: 'layers/conv2d' });
  assert.throws(
    () => matchLayers(chainOf('a', 'b'), [inner, outer], 'm.h5'),
    /a is missing[\s\S]*layers\/conv2d belongs/,
  );
});

test('automatic names of which the file has more are never guessed at', () => {
  const layers = [1, 2, 3].map((n) => stored(`conv2d_${n}`, n, n === 1 ? first : {}));
  assert.throws(() => matchLayers(chainOf('conv2d', 'conv2d_1'), layers, 'm.h5'), /conv2d is missing/);
});

test('wherever the counters of a file start and however it is sorted, the n-th convolution is the n-th', () => {
  const counts = fc.record({ layers: fc.integer({ min: 1, max: 12 }), start: fc.nat(200) });
  fc.assert(
    fc.property(counts, fc.nat(11), ({ layers, start }, turn) => {
      const nameAt = (n: number): string => (n === 0 ? 'conv2d' : `conv2d_${n}`);
      const graph = chainOf(...Array.from({ length: layers }, (_, i) => nameAt(i)));
      const file = Array.from({ length: layers }, (_, i) => stored(nameAt(start + i), i, i === 0 ? first : {}));
      const turned = [...file.slice(turn % layers), ...file.slice(0, turn % layers)];
      assert.deepEqual(
        kernelsOf(graph, turned),
        file.map((_, i) => i),
      );
    }),
  );
});

test('classes are spelled as Keras spells them', () => {
  const spelled = ['Conv2D', 'SeparableConv2D', 'BatchNormalization', 'ReLU', 'Dense', 'GlobalAveragePooling2D'];
  assert.deepEqual(spelled.map(snakeCase), [
    'conv2d',
    'separable_conv2d',
    'batch_normalization',
    're_lu',
    'dense',
    'global_average_pooling2d',
  ]);
  assert.deepEqual(splitCounter('conv2d_12'), { base: 'conv2d', counter: 12 });
  assert.deepEqual(splitCounter('conv2d'), { base: 'conv2d', counter: 0 });
});
