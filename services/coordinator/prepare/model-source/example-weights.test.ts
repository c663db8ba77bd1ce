import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exampleWeights, vgg16Weights } from './example-weights.ts';

test('convolutions get the names and the layout of Keras, and the classifier is left out', () => {
  const shape = [4, 2, 3, 3];
  const [outputs = 0, inputs = 0, height = 0, width = 0] = shape;
  /** A value that says where it belongs. */
  const at = (...place: number[]): number => place.reduce((value, i) => value * 10 + i, 1);
  const stored: number[] = [];
  for (let o = 0; o < outputs; o++)
    for (let i = 0; i < inputs; i++)
      for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) stored.push(at(y, x, i, o));
  const weights = vgg16Weights(
    new Map([
      ['functional_1/block1_conv2_1/convolution/ReadVariableOp:0', { shape, data: Float32Array.from(stored) }],
      ['functional_1/block1_conv2_1/Squeeze:0', { shape: [4], data: Float32Array.from([1, 2, 3, 4]) }],
      ['functional_1/dense_1/Cast/ReadVariableOp:0', { shape: [1, 1], data: Float32Array.from([9]) }],
    ]),
  );
  assert.deepEqual([...weights.keys()], ['block1_conv2/kernel', 'block1_conv2/bias']);
  const kernel = weights.get('block1_conv2/kernel');
  assert.deepEqual(kernel?.shape, [3, 3, 2, 4]);
  const expected: number[] = [];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let i = 0; i < inputs; i++) for (let o = 0; o < outputs; o++) expected.push(at(y, x, i, o));
  assert.deepEqual([...(kernel?.data ?? [])], expected);
});

test('an unknown name is refused with the known one', async () => {
  await assert.rejects(exampleWeights('vgg19', 'cache'), {
    code: 'SourceNotFound',
    message: 'there are no example weights "vgg19"; there are vgg16-imagenet',
  });
});
