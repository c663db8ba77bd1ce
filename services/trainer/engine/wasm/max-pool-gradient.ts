// The gradient of max pooling, composed for tfjs' wasm backend, whose own is wrong: it starts the search for the largest
// value of a window above zero, so a window of negative values passes no gradient on.

import * as tf from '@tensorflow/tfjs-core';
import { composeKernel } from './compose-kernel.ts';
import {
  paddedInput,
  placesOf,
  poolingWindow,
  seenFrom,
  spreadOver,
  unpadded,
  type WindowAttributes,
} from './window.ts';

type PoolAttributes = WindowAttributes & { readonly filterSize: number | [number, number] };

export function composeMaxPoolGradient(): void {
  composeKernel<PoolAttributes>('MaxPoolGrad', ({ dy, input, output }, attributes) => {
    const window = poolingWindow((input as tf.Tensor).shape, attributes);
    return maxPoolGradient(dy as tf.Tensor, { input: input as tf.Tensor, output: output as tf.Tensor, window });
  });
}

interface Pooled {
  readonly input: tf.Tensor;
  readonly output: tf.Tensor;
  readonly window: ReturnType<typeof poolingWindow>;
}

/** Each output's gradient goes to the first of its window's places, row by row, that has the largest value. */
function maxPoolGradient(dy: tf.Tensor, { input, output, window }: Pooled): tf.Tensor {
  const padded = paddedInput(input, window, Number.NEGATIVE_INFINITY);
  let open: tf.Tensor = tf.onesLike(output);
  const parts = placesOf(window).map((place) => {
    const isLargest = tf.cast(tf.equal(seenFrom(place, padded, window), output), 'float32');
    const chosen = tf.mul(isLargest, open);
    open = tf.sub(open, chosen);
    return spreadOver(tf.mul(dy, chosen), place, window);
  });
  return unpadded(tf.addN(parts), window);
}
