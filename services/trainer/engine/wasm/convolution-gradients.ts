// The gradients of a convolution, composed for tfjs' wasm backend: the one of the filter it lacks, and the one of the
// input it computes by a plain loop, eleven times as slow as a convolution of that size.

import * as tf from '@tensorflow/tfjs-core';
import { composeKernel } from './compose-kernel.ts';
import { convolutionWindow, paddedInput, placesOf, seenFrom, spreadGradient, type WindowAttributes } from './window.ts';

type FilterAttributes = WindowAttributes & { readonly filterShape: number[] };
type InputAttributes = WindowAttributes & { readonly inputShape: number[] };

export function composeConvolutionGradients(): void {
  composeKernel<FilterAttributes>('Conv2DBackpropFilter', ({ x, dy }, attributes) =>
    filterGradient(x as tf.Tensor, dy as tf.Tensor, attributes),
  );
  composeKernel<InputAttributes>('Conv2DBackpropInput', ({ dy, filter }, attributes) =>
    inputGradient(dy as tf.Tensor, filter as tf.Tensor, attributes),
  );
}

/** For each place of the filter: what it sees, transposed, times the outputs' gradient. */
function filterGradient(x: tf.Tensor, dy: tf.Tensor, attributes: FilterAttributes): tf.Tensor {
  const { filterShape } = attributes;
  const window = convolutionWindow({ input: x.shape, filter: filterShape, isDepthwise: false }, attributes);
  const padded = paddedInput(x, window);
  const gradient = tf.reshape(dy, [-1, window.outChannels]) as tf.Tensor2D;
  const products = placesOf(window).map((place) => {
    const seen = tf.reshape(seenFrom(place, padded, window), [-1, window.inChannels]) as tf.Tensor2D;
    return tf.matMul(seen, gradient, true, false);
  });
  return tf.reshape(tf.concat(products, 0), filterShape);
}

/** A convolution with the filter reversed, channels and filters exchanged. */
function inputGradient(dy: tf.Tensor, filter: tf.Tensor, attributes: InputAttributes): tf.Tensor {
  const { inputShape } = attributes;
  const window = convolutionWindow({ input: inputShape, filter: filter.shape, isDepthwise: false }, attributes);
  const reversed = tf.transpose(tf.reverse(filter, [0, 1]), [0, 1, 3, 2]) as tf.Tensor4D;
  return tf.conv2d(spreadGradient(dy, window), reversed, 1, 'valid');
}
