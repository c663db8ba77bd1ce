// Average pooling that counts only what lies inside the image. tfjs' plain backend differentiates its `same` padding as
// if the padding were counted, so padding is done here, and pooling itself is always `valid`.

import * as tf from '@tensorflow/tfjs-core';

export interface PoolOptions {
  readonly window: [number, number];
  readonly strides: [number, number];
  readonly padding: 'same' | 'valid';
}

interface Axis {
  /** Zeros before and after, as TensorFlow's `same` places them. */
  readonly pad: [number, number];
  /** Per output position, how many of the window's positions lie inside. */
  readonly inside: readonly number[];
}

/** x: [batch, height, width, channels]. */
export function averagePool(x: tf.Tensor4D, { window, strides, padding }: PoolOptions): tf.Tensor4D {
  if (padding === 'valid') return tf.avgPool(x, window, strides, 'valid');
  const rows = sameAxis(x.shape[1], window[0], strides[0]);
  const columns = sameAxis(x.shape[2], window[1], strides[1]);
  const pooled = tf.avgPool(tf.pad4d(x, [[0, 0], rows.pad, columns.pad, [0, 0]]), window, strides, 'valid');
  const whole = window[0] * window[1];
  const factors = rows.inside.flatMap((r) => columns.inside.map((c) => whole / (r * c)));
  return tf.mul(pooled, tf.tensor4d(factors, [1, rows.inside.length, columns.inside.length, 1]));
}

function sameAxis(size: number, window: number, stride: number): Axis {
  const outputs = Math.ceil(size / stride);
  const padding = Math.max(0, (outputs - 1) * stride + window - size);
  const before = Math.floor(padding / 2);
  const inside = Array.from({ length: outputs }, (_, i) => {
    const start = i * stride - before;
    return Math.min(size, start + window) - Math.max(0, start);
  });
  return { pad: [before, padding - before], inside };
}
