// Layers that are y = x * kernel + bias, with a frozen normalisation behind them folded into kernel and bias. Folding
// happens in tensors, so gradients reach kernel, bias, gamma and beta through it, at the cost of the kernel's size.

import * as tf from '@tensorflow/tfjs-core';
import type { Layer } from '@thaw/common/model/graph.ts';
import { booleanOf, numberOf, paddingOf, pairOf } from '@thaw/common/model/layer-config.ts';

/** Value of a weight by its name. */
export type Values = (name: string) => tf.Tensor;

export interface Affine {
  readonly kernel: tf.Tensor;
  readonly bias: tf.Tensor | null;
}

export const affineKinds = new Set(['Conv2D', 'DepthwiseConv2D', 'Dense']);

/** Inference-mode normalisation as one multiply-add: scale = gamma / sqrt(variance + epsilon), shift = beta - mean * scale. */
export function scaleAndShift(layer: Layer, value: Values): { scale: tf.Tensor; shift: tf.Tensor } {
  const deviation = tf.sqrt(tf.add(value(`${layer.path}/moving_variance`), numberOf(layer, 'epsilon', 1e-3)));
  const scale = booleanOf(layer, 'scale', true)
    ? tf.div(value(`${layer.path}/gamma`), deviation)
    : tf.div(1, deviation);
  const moved = tf.mul(value(`${layer.path}/moving_mean`), scale);
  const shift = booleanOf(layer, 'center', true) ? tf.sub(value(`${layer.path}/beta`), moved) : tf.neg(moved);
  return { scale, shift };
}

/** Kernel and bias of a layer, with `normalization` folded in. */
export function affineOf(layer: Layer, normalization: Layer | null, value: Values): Affine {
  const kernelName = layer.kind === 'DepthwiseConv2D' ? 'depthwise_kernel' : 'kernel';
  const kernel = value(`${layer.path}/${kernelName}`);
  const bias = booleanOf(layer, 'use_bias', true) ? value(`${layer.path}/bias`) : null;
  if (!normalization) return { kernel, bias };
  const { scale, shift } = scaleAndShift(normalization, value);
  const perOutput = layer.kind === 'DepthwiseConv2D' ? tf.reshape(scale, kernel.shape.slice(2)) : scale;
  return {
    kernel: tf.mul(kernel, perOutput),
    bias: bias ? tf.add(tf.mul(bias, scale), shift) : shift,
  };
}

export function applyAffine(layer: Layer, x: tf.Tensor, { kernel, bias }: Affine): tf.Tensor {
  const product = multiply(layer, x, kernel);
  return bias ? tf.add(product, bias) : product;
}

function multiply(layer: Layer, x: tf.Tensor, kernel: tf.Tensor): tf.Tensor {
  if (layer.kind === 'Dense') return tf.matMul(x as tf.Tensor2D, kernel as tf.Tensor2D);
  const strides = pairOf(layer, 'strides', [1, 1]) as [number, number];
  const dilations = pairOf(layer, 'dilation_rate', [1, 1]) as [number, number];
  const padding = paddingOf(layer);
  if (layer.kind === 'DepthwiseConv2D') {
    return tf.depthwiseConv2d(x as tf.Tensor4D, kernel as tf.Tensor4D, strides, padding, 'NHWC', dilations);
  }
  return convolve(x as tf.Tensor4D, kernel as tf.Tensor4D, { strides, dilations, padding });
}

/**
 * A 1x1 convolution of stride 1 is a matrix product, and a faster one. Not of images of one pixel, as in squeeze and
 * excitation: in a product of 32 rows TensorFlow lets a row's bits depend on its place, in a convolution it does not.
 */
export function convolve(
  x: tf.Tensor4D,
  kernel: tf.Tensor4D,
  options: { strides: [number, number]; dilations: [number, number]; padding: 'same' | 'valid' },
): tf.Tensor {
  const { strides, dilations, padding } = options;
  const [height, width, channels, filters] = kernel.shape;
  const isPixel = x.shape[1] === 1 && x.shape[2] === 1;
  if (isPixel || height !== 1 || width !== 1 || strides[0] !== 1 || strides[1] !== 1) {
    return tf.conv2d(x, kernel, strides, padding, 'NHWC', dilations);
  }
  const [batch, rows, columns] = x.shape;
  const flat = tf.reshape(x, [batch * rows * columns, channels]) as tf.Tensor2D;
  const product = tf.matMul(flat, tf.reshape(kernel, [channels, filters]) as tf.Tensor2D);
  return tf.reshape(product, [batch, rows, columns, filters]);
}
