import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ThawError } from '../errors/thaw-error.ts';
import type { Layer } from './graph.ts';
import { addLayer } from './infer.ts';

function shapeOf(
  kind: string,
  config: Record<string, unknown>,
  ...inputs: readonly (readonly number[])[]
): readonly number[] {
  const layers = new Map<string, Layer>();
  const paths = inputs.map((shape, i) => {
    const input = { path: `in${i}`, kind: 'InputLayer', config: { batch_input_shape: [null, ...shape] }, inputs: [] };
    return addLayer(layers, input).path;
  });
  return addLayer(layers, { path: 'backbone/layer', kind, config, inputs: paths }).outputShape;
}

const image = [8, 6, 4];
const conv = { filters: 5, kernel_size: 3 };

// What Keras allows and Thaw does not compute, or what nobody should have written.
const refused: readonly (readonly [
  kind: string,
  config: Record<string, unknown>,
  inputs: readonly (readonly number[])[],
  message: RegExp,
])[] = [
  [
    'Conv2D',
    { ...conv, data_format: 'channels_first' },
    [image],
    /data_format: found "channels_first"; expected "channels_last"/,
  ],
  ['Conv2D', { ...conv, groups: 2 }, [image], /groups: found 2; expected 1/],
  ['Conv2D', { ...conv, padding: 'causal' }, [image], /padding: found "causal"; expected "same" or "valid"/],
  ['Conv2D', { ...conv, activation: 'mish' }, [image], /activation: found "mish"; expected one of linear, relu/],
  ['Conv2D', { ...conv, filters: -3 }, [image], /filters: found -3; expected a whole number from 1/],
  ['Conv2D', { ...conv, filters: 2.5 }, [image], /filters: found 2.5/],
  ['Conv2D', { ...conv, strides: [0, 1] }, [image], /strides: found \[0,1\]; expected a whole number from 1, or two/],
  ['Conv2D', { ...conv, kernel_size: [3, 3, 3] }, [image], /kernel_size: found \[3,3,3\]/],
  [
    'Conv2D',
    { ...conv, strides: 2, dilation_rate: 2 },
    [image],
    /dilation_rate: found 2; expected 1 beside strides 2 x 2/,
  ],
  [
    'Conv2D',
    { ...conv, kernel_size: 9 },
    [image],
    /the input \[8,6,4\] is smaller than its window; use a larger model.input.size/,
  ],
  ['Conv2D', conv, [image, image], /found 2 inputs; expected 1/],
  ['Conv2D', conv, [[7]], /found an input of shape \[7\]; expected \[height, width, channels\]/],
  [
    'Dense',
    { units: 3 },
    [image],
    /found an input of shape \[8,6,4\]; expected a vector. Put globalAveragePooling or flatten before it/,
  ],
  ['Dense', { units: 0 }, [[7]], /units: found 0/],
  ['BatchNormalization', { axis: 1 }, [image], /axis: found 1; expected the last axis/],
  ['Softmax', { axis: 1 }, [image], /axis: found 1; expected the last axis/],
  ['Concatenate', { axis: 1 }, [image, image], /axis: found 1; expected the last axis/],
  [
    'Concatenate',
    {},
    [image, [7, 6, 4]],
    /found inputs \[8,6,4\], \[7,6,4\]; expected shapes that differ in the last axis only/,
  ],
  ['Add', {}, [image, [8, 6, 5]], /found inputs \[8,6,4\], \[8,6,5\]; expected equal shapes/],
  ['Add', {}, [image], /found inputs \[8,6,4\]; expected equal shapes/],
  ['Multiply', {}, [image, [1, 2, 4]], /found inputs \[8,6,4\], \[1,2,4\]; expected equal shapes, or 1 in an axis/],
  ['Multiply', {}, [image, [4]], /found inputs \[8,6,4\], \[4\]; expected equal shapes/],
  ['Normalization', { axis: 1 }, [image], /axis: found 1; expected the last axis/],
  ['Normalization', { invert: true }, [image], /invert: found true; expected false/],
  ['Normalization', { mean: [1, 2], variance: [1, 2] }, [image], /mean: found \[1,2\]; expected a number, or 4/],
  ['Normalization', { mean: 1 }, [image], /variance: found nothing; expected a number/],
  ['Reshape', { target_shape: [-1, 5] }, [[16]], /target_shape: found \[-1,5\]; expected 16 elements/],
  ['Reshape', { target_shape: [-2, -8] }, [[16]], /expected 16 elements/],
  ['Reshape', { target_shape: 16 }, [[16]], /target_shape: found 16; expected a list of sizes/],
  ['Dropout', { rate: 1 }, [image], /rate: found 1; expected a number from 0 to below 1/],
  ['Dropout', { rate: 0.5, noise_shape: [null, 1, 1, 3] }, [image], /noise_shape/],
  ['Dropout', { rate: 0.5, noise_shape: [null, 1, 1] }, [image], /noise_shape/],
  [
    'ZeroPadding2D',
    {
      padding: [
        [1, 1],
        [2, -1],
      ],
    },
    [image],
    /padding: found \[\[1,1\],\[2,-1\]\]/,
  ],
];

for (const [kind, config, inputs, message] of refused) {
  test(`refused: ${kind} ${JSON.stringify(config)} on ${JSON.stringify(inputs)}`, () => {
    assert.throws(
      () => shapeOf(kind, config, ...inputs),
      (thrown) => {
        assert.ok(thrown instanceof ThawError, String(thrown));
        assert.match(thrown.message, message);
        assert.match(thrown.message, /^backbone\/layer/);
        return true;
      },
    );
  });
}

test('a layer that does not fit the tensor before it is a mismatch, anything else an invalid model', () => {
  const codeOf = (run: () => unknown): unknown => {
    try {
      return run();
    } catch (thrown) {
      return (thrown as ThawError).code;
    }
  };
  assert.equal(
    codeOf(() => shapeOf('Dense', { units: 3 }, image)),
    'HeadMismatch',
  );
  assert.equal(
    codeOf(() => shapeOf('GlobalAveragePooling2D', {}, [16])),
    'HeadMismatch',
  );
  assert.equal(
    codeOf(() => shapeOf('Conv2D', { ...conv, groups: 2 }, image)),
    'ModelInvalid',
  );
});

test('paddings in all three ways of writing', () => {
  for (const [padding, expected] of [
    [2, [12, 10, 4]],
    [
      [1, 2],
      [10, 10, 4],
    ],
    [
      [
        [0, 1],
        [2, 3],
      ],
      [9, 11, 4],
    ],
  ] as const) {
    assert.deepEqual(shapeOf('ZeroPadding2D', { padding }, image), expected);
  }
});

test('an image is multiplied by a pixel, as in squeeze and excitation, in either order', () => {
  assert.deepEqual(shapeOf('Multiply', {}, image, [1, 1, 4]), image);
  assert.deepEqual(shapeOf('Multiply', {}, [1, 1, 4], image), image);
});
