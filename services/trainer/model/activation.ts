// Activations, and the kernels that each needs, gradients included. ReLU and ReLU6 have gradients of our own, because
// tfjs' are slow: they cast booleans.

import * as tf from '@tensorflow/tfjs-core';
import type { ActivationName } from '@thaw/common/model/layer-config.ts';

/** y = min(max(x, 0), 6); dx = dy where 0 < y < 6. */
const relu6 = tf.customGrad((x, save) => {
  const input = x as tf.Tensor;
  const y = tf.relu6(input);
  (save as tf.GradSaveFunc)([y]);
  return {
    value: y,
    gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const output = saved[0] as tf.Tensor;
      return tf.mul(dy, tf.sign(tf.mul(output, tf.sub(6, output))));
    },
  };
});

/** y = max(x, 0); dx = dy where y > 0. */
const relu = tf.customGrad((x, save) => {
  const y = tf.relu(x as tf.Tensor);
  (save as tf.GradSaveFunc)([y]);
  return { value: y, gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.mul(dy, tf.sign(saved[0] as tf.Tensor)) };
});

const gelu = (x: tf.Tensor): tf.Tensor => tf.mul(x, tf.mul(0.5, tf.add(1, tf.erf(tf.mul(x, Math.SQRT1_2)))));

export function activate(x: tf.Tensor, name: ActivationName): tf.Tensor {
  switch (name) {
    case 'linear':
      return x;
    case 'relu':
      return relu(x);
    case 'relu6':
      return relu6(x);
    case 'sigmoid':
      return tf.sigmoid(x);
    case 'tanh':
      return tf.tanh(x);
    case 'softmax':
      return tf.softmax(x);
    case 'elu':
      return tf.elu(x);
    case 'gelu':
      return gelu(x);
    case 'silu':
    case 'swish':
      return tf.mul(x, tf.sigmoid(x));
    case 'hard_sigmoid':
      return tf.clipByValue(tf.add(tf.mul(x, 0.2), 0.5), 0, 1);
  }
}

const reluKernels = ['Relu', 'Sign', 'Multiply'];
const siluKernels = ['Sigmoid', 'Multiply', 'Sub', 'Add'];

export const activationKernels: Readonly<Record<ActivationName, readonly string[]>> = {
  linear: [],
  relu: reluKernels,
  relu6: ['Relu6', 'Sign', 'Multiply', 'Sub'],
  sigmoid: ['Sigmoid', 'Multiply', 'Sub'],
  tanh: ['Tanh', 'Square', 'Multiply', 'Sub'],
  softmax: ['Softmax', 'Sum', 'Multiply', 'Sub'],
  elu: ['Elu', 'EluGrad'],
  gelu: ['Erf', 'Exp', 'Neg', 'Square', 'Multiply', 'Add'],
  silu: siluKernels,
  swish: siluKernels,
  // The clip's gradient selects, and TensorFlow makes the clip itself of Minimum and Maximum.
  hard_sigmoid: [
    ...['ClipByValue', 'Maximum', 'Minimum', 'GreaterEqual', 'LessEqual', 'LogicalAnd', 'Select', 'ZerosLike'],
    ...['Multiply', 'Add'],
  ],
};

/** Keras' ReLU layer: optional ceiling, slope below the threshold; none of them is below 0. */
export function reluLayer(x: tf.Tensor, options: { max: number | null; slope: number; threshold: number }): tf.Tensor {
  const { max, slope, threshold } = options;
  if (slope === 0 && threshold === 0) {
    if (max === 6) return relu6(x);
    return max === null ? relu(x) : tf.minimum(relu(x), max);
  }
  // A step, unlike a comparison, has a gradient in tfjs: zero.
  const above = threshold === 0 ? relu(x) : tf.mul(x, tf.step(tf.sub(x, threshold)));
  const capped = max === null ? above : tf.minimum(above, max);
  return slope === 0 ? capped : tf.sub(capped, tf.mul(slope, relu(tf.sub(threshold, x))));
}
