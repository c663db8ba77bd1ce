import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolvedTinyJob } from '../../../test/support/fixtures/resolved-tiny-job.ts';
import type { Fields } from '../../../test/support/fixtures/tiny-job.ts';
import { ThawError } from '../errors/thaw-error.ts';
import type { Preprocessing } from './resolved-job.ts';

const input = (changes: Fields): Fields => ({ spec: { model: { input: { preset: undefined, ...changes } } } });
const own = { channelOrder: 'rgb', scale: 1 / 255, mean: [0, 0, 0], std: [1, 1, 1] } as const;

/** What a byte becomes, per channel in the model's order. */
function valuesOf({ scale, mean, std }: Preprocessing, byte: number): number[] {
  return mean.map((shift, channel) => (byte * scale - shift) / (std[channel] as number));
}

function assertNear(found: readonly number[], expected: readonly number[]): void {
  for (const [i, value] of expected.entries()) assert.ok(Math.abs((found[i] as number) - value) < 1e-12, `${found}`);
}

// The published definitions of keras.applications.imagenet_utils.preprocess_input, for the bytes 0 and 255.
for (const [preset, order, black, white] of [
  ['caffe', 'bgr', [-103.939, -116.779, -123.68], [151.061, 138.221, 131.32]],
  ['torch', 'rgb', [-0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225], [0.515 / 0.229, 0.544 / 0.224, 0.594 / 0.225]],
  ['tf', 'rgb', [-1, -1, -1], [1, 1, 1]],
  ['unit', 'rgb', [0, 0, 0], [1, 1, 1]],
] as const) {
  test(`preset ${preset} prepares pixels as Keras does`, () => {
    const { preprocessing } = resolvedTinyJob(input({ preset })).model;
    assert.equal(preprocessing.channelOrder, order);
    assertNear(valuesOf(preprocessing, 0), black);
    assertNear(valuesOf(preprocessing, 255), white);
  });
}

test('a range maps the bytes, then mean and deviation apply to it', () => {
  const { preprocessing } = resolvedTinyJob(
    input({ range: [-1, 1], mean: [0.5, 0, 0], std: [2, 1, 1], channels: 'bgr' }),
  ).model;
  assert.equal(preprocessing.channelOrder, 'bgr');
  assertNear(valuesOf(preprocessing, 0), [-0.75, -1, -1]);
  assertNear(valuesOf(preprocessing, 255), [0.25, 1, 1]);
});

test('a model that carries its preparation needs none, and the job may set another', () => {
  const facts = { preprocessing: own };
  assert.deepEqual(resolvedTinyJob(input({ resize: 'crop' }), { facts }).model.preprocessing, {
    ...own,
    height: 24,
    width: 24,
    resize: 'crop',
  });
  assert.equal(resolvedTinyJob(input({ preset: 'caffe' }), { facts }).model.preprocessing.scale, 1);
});

test('size, or height and width, replace the size that the model was made for', () => {
  const sizeOf = (changes: Fields): number[] => {
    const { height, width } = resolvedTinyJob(input({ preset: 'unit', ...changes })).model.preprocessing;
    return [height, width];
  };
  assert.deepEqual(sizeOf({}), [24, 24]);
  assert.deepEqual(sizeOf({ size: 32 }), [32, 32]);
  assert.deepEqual(sizeOf({ height: 16, width: 40 }), [16, 40]);
});

test('what the network says of itself counts more than the name of its file', () => {
  const source = { spec: { model: { source: 'file:models/vgg16.h5', input: undefined } } };
  const named = { modelName: 'mobilenetv2_1.00_224' };
  for (const [facts, hint] of [
    [{}, /For "file:models\/vgg16\.h5" it is most likely \{preset: caffe\}\.$/],
    [named, /For "mobilenetv2_1\.00_224" it is most likely \{preset: tf\}\.$/],
    [{ ...named, rescales: true }, /rescales its pixels itself, so it is most likely \{range: \[0, 255\]\}\.$/],
  ] as const) {
    assert.throws(() => resolvedTinyJob(source, { facts }), hint);
  }
});

test('without a known preparation the job is refused, naming the likely preset', () => {
  for (const [source, hint] of [
    ['file:models/vgg16', '{preset: caffe}'],
    ['file:models/MobileNetV2', '{preset: tf}'],
    ['file:models/timm-vit', '{preset: torch}'],
    ['file:models/unheard-of', 'Look it up where the model comes from'],
  ] as const) {
    assert.throws(
      () => resolvedTinyJob({ spec: { model: { source, input: undefined } } }),
      (thrown) => {
        assert.ok(thrown instanceof ThawError && thrown.code === 'JobInvalid');
        assert.match(thrown.message, /^job\.yaml:8:5: spec\.model\.input: found no preset, range, mean or std/);
        assert.ok(thrown.message.includes(hint), thrown.message);
        return true;
      },
    );
  }
});
