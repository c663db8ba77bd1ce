import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blocksOf } from '../blocks.ts';
import type { Graph } from '../graph.ts';
import { selectTrainable } from '../select.ts';
import { architectureNames, architectureOf } from './architectures.ts';
import type { BuildOptions } from './network.ts';

function built(name: string, options: Partial<BuildOptions> & { readonly published?: boolean } = {}): Graph {
  const architecture = architectureOf(name);
  assert.ok(architecture);
  const { size } = architecture;
  return architecture.build({ height: size, width: size, ...options });
}

/** Keras also counts the samples of a Normalization, which are no weight here. */
function parametersAsKerasCounts({ layers }: Graph): number {
  const counters = layers.filter(({ kind }) => kind === 'Normalization').length;
  const sizes = layers.flatMap(({ weights }) => weights.map(({ shape }) => shape.reduce((a, b) => a * b, 1)));
  return sizes.reduce((sum, size) => sum + size, counters);
}

// From model.count_params() of keras.applications, with 1000 classes and without a classifier.
const cases: readonly (readonly [name: string, withoutTop: number, withTop: number, blocks: number])[] = [
  ['vgg16', 14_714_688, 138_357_544, 5],
  ['vgg19', 20_024_384, 143_667_240, 5],
  ['resnet50', 23_587_712, 25_636_712, 17],
  ['inceptionV3', 21_802_784, 23_851_784, 16],
  ['mobilenetV2', 2_257_984, 3_538_984, 20],
  ['efficientnetB0', 4_049_571, 5_330_571, 18],
];

test('every builtin has its numbers here', () => {
  assert.deepEqual(
    cases.map(([name]) => name),
    architectureNames,
  );
});

for (const [name, withoutTop, withTop, blocks] of cases) {
  test(`${name} has as many parameters as in Keras`, () => {
    assert.equal(parametersAsKerasCounts(built(name)), withoutTop);
    assert.equal(parametersAsKerasCounts(built(name, { classes: 1000 })), withTop);
  });

  test(`${name} has ${blocks} blocks, the first of which can be trained`, () => {
    const found = blocksOf(built(name));
    assert.equal(found.length, blocks, found.map((block) => block.name).join());
    assert.ok(selectTrainable(built(name), found[0]?.layers ?? []).tensors.length > 0);
  });
}

test('padding before a stride of 2 follows the size, as in Keras', () => {
  const paddingAt = (size: number): unknown =>
    built('mobilenetV2', { height: size, width: 224 }).layers.find(({ path }) => path === 'backbone/block_1_pad')
      ?.config.padding;
  assert.deepEqual(paddingAt(224), [[0, 1], [0, 1]]); // biome-ignore format: one pair an axis
  assert.deepEqual(paddingAt(225), [[1, 1], [0, 1]]); // biome-ignore format: one pair an axis
});

test('EfficientNet’s published weights get one more Rescaling', () => {
  const scales = (published: boolean): unknown[] =>
    built('efficientnetB0', { published })
      .layers.filter(({ kind }) => kind === 'Rescaling')
      .map(({ path, config }) => [path, config.scale]);
  assert.deepEqual(scales(false), [['backbone/rescaling', 1 / 255]]);
  assert.deepEqual(scales(true), [
    ['backbone/rescaling', 1 / 255],
    ['backbone/rescaling_1', [1 / Math.sqrt(0.229), 1 / Math.sqrt(0.224), 1 / Math.sqrt(0.225)]],
  ]);
});

test('input statistics are never trainable', () => {
  const { tensors } = selectTrainable(built('efficientnetB0'), ['**']);
  assert.equal(tensors.filter(({ name }) => name.startsWith('backbone/normalization/')).length, 0);
  assert.throws(() => selectTrainable(built('efficientnetB0'), ['backbone/normalization']), /matches no layer/);
});
