import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addLayer } from './infer.ts';

/** Settings that the engine would ignore, or crash on after training has begun: each is refused while reading. */
const cases: readonly { readonly kind: string; readonly config: Record<string, unknown>; readonly message: string }[] =
  [
    {
      kind: 'Conv2D',
      config: { filters: 4, kernel_size: [3, 3], groups: 2 },
      message: 'groups: found 2; expected 1',
    },
    {
      kind: 'SeparableConv2D',
      config: { filters: 4, kernel_size: [3, 3], groups: 2 },
      message: 'groups: found 2; expected 1',
    },
    {
      kind: 'DepthwiseConv2D',
      config: { kernel_size: [3, 3], groups: 3 },
      message: 'groups: found 3; expected 1',
    },
    {
      kind: 'DepthwiseConv2D',
      config: { kernel_size: [3, 3], strides: [2, 1] },
      message: 'strides: found [2,1]; expected the same stride for height and width',
    },
    {
      kind: 'SeparableConv2D',
      config: { filters: 4, kernel_size: [3, 3], strides: [1, 2] },
      message: 'strides: found [1,2]; expected the same stride for height and width',
    },
    {
      kind: 'Conv2D',
      config: { filters: 4, kernel_size: [3, 3], strides: [2, 2], dilation_rate: [2, 2] },
      message: 'dilation_rate: found [2,2]; expected 1 beside strides 2 x 2',
    },
    { kind: 'ReLU', config: { max_value: -1 }, message: 'max_value: found -1; expected a number of at least 0' },
    { kind: 'ReLU', config: { max_value: '6' }, message: 'max_value: found "6"; expected a number' },
    { kind: 'ReLU', config: { threshold: -1 }, message: 'threshold: found -1; expected a number of at least 0' },
    { kind: 'LeakyReLU', config: { alpha: [0.1] }, message: 'alpha: found [0.1]; expected a number' },
    { kind: 'Softmax', config: { axis: 1 }, message: 'axis: found 1; expected the last axis' },
    { kind: 'Rescaling', config: { scale: [1, 2] }, message: 'scale: found [1,2]; expected a number, or 3' },
    { kind: 'Dropout', config: { rate: 1 }, message: 'rate: found 1; expected a number from 0 to below 1' },
    {
      kind: 'Dropout',
      config: { rate: 0.5, noise_shape: [4, 1, 1, 1] },
      message: 'noise_shape: found [4,1,1,1]; expected null, or [null, …] with 1 or the size for each of [9,9,3]',
    },
    {
      kind: 'Reshape',
      config: { target_shape: [10, -1] },
      message: 'target_shape: found [10,-1]; expected 243 elements',
    },
  ];

for (const { kind, config, message } of cases) {
  test(`${kind} ${JSON.stringify(config)}`, () => {
    const layers = new Map();
    const input = { batch_input_shape: [null, 9, 9, 3] };
    addLayer(layers, { path: 'backbone/input', kind: 'InputLayer', config: input, inputs: [] });
    assert.throws(() => addLayer(layers, { path: 'backbone/layer', kind, config, inputs: ['backbone/input'] }), {
      name: 'ThawError(ModelInvalid)',
      message: `backbone/layer (${kind}): ${message}`,
    });
  });
}
