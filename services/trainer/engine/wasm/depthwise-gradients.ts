// The gradients of a depthwise convolution, which tfjs' wasm backend lacks.

import * as tf from '@tensorflow/tfjs-core';
import { composeKernel } from './compose-kernel.ts';
import { convolutionWindow, paddedInput, placesOf, seenFrom, spreadGradient, type WindowAttributes } from './window.ts';

type FilterAttributes = WindowAttributes & { readonly filterShape: number[] };
type InputAttributes = WindowAttributes & { readonly inputShape: number[] };

export function composeDepthwiseGradients(): void {
  composeKernel<FilterAttributes>('DepthwiseConv2dNativeBackpropFilter', ({ x, dy }, attributes) =>
    filterGradient(x as tf.Tensor, dy as tf.Tensor, attributes),
  );
  composeKernel<InputAttributes>('DepthwiseConv2dNativeBackpropInput', ({ dy, filter }, attributes) =>
    inputGradient(dy as tf.Tensor, filter as tf.Tensor, attributes),
  );
}

/** For each place of the filter: what it sees times the outputs' gradient, summed over the images and all outputs. */
function filterGradient(x: tf.Tensor, dy: tf.Tensor, attributes: FilterAttributes): tf.Tensor {
  const { filterShape } = attributes;
  const [, , channels, multiplier] = filterShape as [number, number, number, number];
  const window = convolutionWindow({ input: x.shape, filter: filterShape, isDepthwise: true }, attributes);
  const padded = paddedInput(x, window);
  const gradient = tf.reshape(dy, [-1, channels, multiplier]);
  const sums = placesOf(window).map((place) => {
    const seen = tf.reshape(seenFrom(place, padded, window), [-1, channels, 1]);
    return tf.sum(tf.mul(seen, gradient), 0);
  });
  return tf.reshape(tf.concat(sums, 0), filterShape);
}

/** A depthwise convolution with the filter reversed, once for each of the outputs that a channel has. */
function inputGradient(dy: tf.Tensor, filter: tf.Tensor, attributes: InputAttributes): tf.Tensor {
  const { inputShape } = attributes;
  const [height, width, channels, multiplier] = filter.shape as [number, number, number, number];
  const window = convolutionWindow({ input: inputShape, filter: filter.shape, isDepthwise: true }, attributes);
  const reversed = tf.reverse(filter, [0, 1]) as tf.Tensor4D;
  if (multiplier === 1) return tf.depthwiseConv2d(spreadGradient(dy, window), reversed, 1, 'valid');
  const { batchSize, outHeight, outWidth } = window;
  const ofOutputs = tf.reshape(dy, [-1, channels, multiplier]);
  const parts = Array.from({ length: multiplier }, (_, output) => {
    const part = tf.reshape(tf.slice(ofOutputs, [0, 0, output], [-1, -1, 1]), [batchSize, outHeight, outWidth, -1]);
    const own = tf.slice(reversed, [0, 0, 0, output], [height, width, channels, 1]);
    return tf.depthwiseConv2d(spreadGradient(part, window), own, 1, 'valid');
  });
  return tf.addN(parts);
}
