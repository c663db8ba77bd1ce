// The kernels composed for the wasm backend against those of the plain JavaScript backend, over windows, strides,
// paddings and sizes of every kind. Values are small whole numbers, so that both must find the very same floats.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { keyedStream } from '@thaw/common/random/stream.ts';
import fc from 'fast-check';
import { createEngine } from '../create-engine.ts';

before(async () => {
  for (const kind of ['wasm', 'cpu'] as const) await createEngine({ kind, threads: 1, gpus: 0 });
});

interface Case {
  readonly seed: number;
  readonly batch: number;
  readonly size: [number, number];
  readonly window: [number, number];
  readonly strides: [number, number];
  readonly pad: 'same' | 'valid';
  readonly channels: number;
  /** Filters, or outputs of each channel. */
  readonly outputs: number;
}

const pair = (most: number) => fc.tuple(fc.integer({ min: 1, max: most }), fc.integer({ min: 1, max: most }));

const cases: fc.Arbitrary<Case> = fc
  .record({
    seed: fc.nat(1000),
    batch: fc.integer({ min: 1, max: 3 }),
    size: pair(7),
    window: pair(4),
    strides: pair(3),
    pad: fc.constantFrom('same', 'valid'),
    channels: fc.integer({ min: 1, max: 5 }),
    outputs: fc.integer({ min: 1, max: 3 }),
  })
  .filter(({ pad, size, window }) => pad === 'same' || window.every((length, i) => length <= (size[i] as number)));

type Compute = (one: Case, whole: (...shape: number[]) => tf.Tensor) => tf.Tensor[];

/** Gradients of x and of the filter for a random gradient of the output. */
function gradients(run: (x: tf.Tensor, filter: tf.Tensor) => tf.Tensor, at: tf.Tensor[], whole: Whole): tf.Tensor[] {
  const shape = tf.tidy(() => run(at[0] as tf.Tensor, at[1] as tf.Tensor).shape);
  return tf.grads(run as (...args: tf.Tensor[]) => tf.Tensor)(at, whole(...shape));
}

type Whole = (...shape: number[]) => tf.Tensor;

const laws: Readonly<Record<string, Compute>> = {
  'a convolution': ({ batch, size, window, strides, pad, channels, outputs }, whole) =>
    gradients(
      (x, filter) => tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, strides, pad),
      [whole(batch, ...size, channels), whole(...window, channels, outputs)],
      whole,
    ),
  'a depthwise convolution': ({ batch, size, window, strides, pad, channels, outputs }, whole) =>
    gradients(
      (x, filter) => tf.depthwiseConv2d(x as tf.Tensor4D, filter as tf.Tensor4D, strides, pad),
      [whole(batch, ...size, channels), whole(...window, channels, outputs)],
      whole,
    ),
  'max pooling, of equal and of negative values': ({ batch, size, window, strides, pad, channels }, whole) => {
    const run = (x: tf.Tensor): tf.Tensor => tf.maxPool(x as tf.Tensor4D, window, strides, pad);
    const x = tf.sub(whole(batch, ...size, channels), 2);
    return [tf.grad(run)(x, whole(...run(x).shape))];
  },
  'products of matrices': ({ batch, size: [rows, columns], window: [inner] }, whole) =>
    [false, true].flatMap((transposeA) =>
      [false, true].flatMap((transposeB) =>
        [[], [batch]].map((stack) => {
          const a = whole(...stack, ...(transposeA ? [inner, rows] : [rows, inner]));
          const b = whole(...stack, ...(transposeB ? [columns, inner] : [inner, columns]));
          return tf.matMul(a, b, transposeA, transposeB);
        }),
      ),
    ),
  sums: ({ batch, size, channels }, whole) =>
    [[0], [0, 1], [2, 1, 0], [0, 1, 2, 3], [1], [1, 2], [3], [0, 2]].flatMap((axes) =>
      [false, true].map((keepDims) => tf.sum(whole(batch, ...size, channels), axes, keepDims)),
    ),
};

for (const [what, compute] of Object.entries(laws)) {
  test(`the same as in plain JavaScript: ${what}`, () => {
    fc.assert(
      fc.property(cases, (one) => {
        const [found, expected] = [resultsOn('wasm', compute, one), resultsOn('cpu', compute, one)];
        assert.deepEqual(found, expected);
      }),
      { numRuns: 60 },
    );
  });
}

interface Result {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** Shape and values of each tensor; all that was computed is freed. */
function resultsOn(backend: string, compute: Compute, one: Case): Result[] {
  tf.engine().setBackend(backend);
  const before = tf.memory().numTensors;
  const stream = keyedStream(one.seed, 'initialise', 'composed kernels');
  const whole: Whole = (...shape) => {
    const length = shape.reduce((product, size) => product * size, 1);
    return tf.tensor(
      Array.from({ length }, () => stream.below(9) - 4),
      shape,
    );
  };
  const tensors = tf.tidy(() => compute(one, whole));
  // 0 and -0 are the same number, and which of them a sum of nothing is does not matter.
  const results = tensors.map((tensor) => ({
    shape: tensor.shape,
    values: Array.from(tensor.dataSync(), (x) => x + 0),
  }));
  tf.dispose(tensors);
  assert.equal(tf.memory().numTensors, before, 'tensors are left behind');
  return results;
}
