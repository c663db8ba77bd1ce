// Batch normalisation on a batch: one multiply-add from the moving statistics, or from those of the batch itself. A
// row of padding is computed like the others and left out of the statistics. Gradients pass through the moments, which
// are plain operations under the tape.

import * as tf from '@tensorflow/tfjs-core';
import type { Layer } from '@thaw/common/model/graph.ts';
import { scaleAndShift, type Values } from './affine.ts';

/** [channels] each; the variance is biased, as in Keras. */
export interface Moments {
  readonly mean: tf.Tensor;
  readonly variance: tf.Tensor;
}

/** The moments that a layer normalises this batch by; null where the moving ones hold. */
export type MomentsOf = (layer: Layer, x: tf.Tensor) => Moments | null;

export function batchNormalization(layer: Layer, x: tf.Tensor, using: { value: Values; moments: MomentsOf | null }) {
  const moments = using.moments?.(layer, x) ?? null;
  const value: Values = (name) => {
    if (moments && name === `${layer.path}/moving_mean`) return moments.mean;
    if (moments && name === `${layer.path}/moving_variance`) return moments.variance;
    return using.value(name);
  };
  const { scale, shift } = scaleAndShift(layer, value);
  return tf.add(tf.mul(x, scale), shift);
}

/** `presence`: [1, batch] of 1 and 0, of which `present` are 1 (at least one). Rows of 0 do not count. */
export function batchMoments(x: tf.Tensor, presence: tf.Tensor2D, present: number): Moments {
  const [batch = 0] = x.shape;
  const channels = x.shape.at(-1) as number;
  const flat = tf.reshape(x, [batch, -1, channels]);
  const share = tf.div(presence, present * (flat.shape[1] as number)) as tf.Tensor2D;
  const average = (values: tf.Tensor): tf.Tensor =>
    tf.reshape(tf.matMul(share, tf.sum(values, 1) as tf.Tensor2D), [channels]);
  const mean = average(flat);
  return { mean, variance: average(tf.square(tf.sub(flat, mean))) };
}

export const momentsKernels: readonly string[] = ['BatchMatMul', 'RealDiv', 'Reshape', 'Square', 'Sub', 'Sum'];
