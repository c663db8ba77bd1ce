// The losses, one definition each, as Keras defines them: per sample, from what the output layer has before its
// activation (logits) and a distribution over the classes as target. Training differentiates them, evaluation reads
// their values. From logits, because a logarithm of a rounded probability loses what matters most.

import * as tf from '@tensorflow/tfjs-core';
import { assertNever } from '@thaw/common/errors/thaw-error.ts';
import type { Loss } from '@thaw/common/job/resolved-job.ts';

/** Keras' epsilon: how near to 1 a probability may come before a power of the rest is taken. */
const restMin = 1e-7;

/** logits, targets: [samples, classes]. Returns [samples]. */
export function sampleLosses(loss: Loss, logits: tf.Tensor, targets: tf.Tensor): tf.Tensor {
  switch (loss.kind) {
    case 'crossEntropy':
      return crossEntropy(logits, smoothed(targets, loss.labelSmoothing, 1 / classesOf(logits)));
    case 'binaryCrossEntropy':
      return binaryCrossEntropy(logits, smoothed(targets, loss.labelSmoothing, 1 / 2));
    case 'focal':
      return focal(logits, smoothed(targets, loss.labelSmoothing, 1 / classesOf(logits)), loss);
    case 'mse':
      return meanOverClasses(tf.square(errors(logits, targets)));
    case 'mae':
      return meanOverClasses(magnitudes(errors(logits, targets)));
    case 'huber':
      return huber(magnitudes(errors(logits, targets)), loss.delta);
    default:
      return assertNever(loss, 'loss');
  }
}

/** Szegedy et al., CVPR 2016: a part of the target goes to `rest`. */
function smoothed(targets: tf.Tensor, part: number, rest: number): tf.Tensor {
  return part === 0 ? targets : tf.add(tf.mul(targets, 1 - part), part * rest);
}

function crossEntropy(logits: tf.Tensor, targets: tf.Tensor): tf.Tensor {
  return tf.neg(tf.sum(tf.mul(targets, tf.logSoftmax(logits)), -1));
}

/** −y log σ(x) − (1−y) log(1−σ(x)) = log(1+eˣ) − xy. */
function binaryCrossEntropy(logits: tf.Tensor, targets: tf.Tensor): tf.Tensor {
  return meanOverClasses(tf.sub(tf.softplus(logits), tf.mul(logits, targets)));
}

/**
 * Lin et al., ICCV 2017: α (1−p)^γ times the cross-entropy of each class. Keras clips p at 1e-7, which hides how wrong
 * a sure mistake is and stops its gradient; here the logarithm is of the logits, as in the other losses.
 */
function focal(logits: tf.Tensor, targets: tf.Tensor, { gamma, alpha }: { gamma: number; alpha: number }): tf.Tensor {
  const rest = tf.maximum(tf.sub(1, tf.softmax(logits)), restMin);
  const weighted = tf.mul(targets, tf.mul(tf.pow(rest, gamma), alpha));
  return crossEntropy(logits, weighted);
}

/** Quadratic up to delta, linear from there on: min(|e|, δ) · (|e| − min(|e|, δ) / 2). */
function huber(magnitude: tf.Tensor, delta: number): tf.Tensor {
  const bounded = tf.minimum(magnitude, delta);
  return meanOverClasses(tf.mul(bounded, tf.sub(magnitude, tf.mul(bounded, 0.5))));
}

function errors(logits: tf.Tensor, targets: tf.Tensor): tf.Tensor {
  return tf.sub(tf.softmax(logits), targets);
}

/** |e| = e · sign(e): its gradient at zero is zero, as TensorFlow's is, and tfjs' own is not. */
function magnitudes(values: tf.Tensor): tf.Tensor {
  return tf.mul(values, tf.sign(values));
}

function meanOverClasses(values: tf.Tensor): tf.Tensor {
  return tf.mul(tf.sum(values, -1), 1 / classesOf(values));
}

function classesOf({ shape }: tf.Tensor): number {
  return shape.at(-1) as number;
}

const smoothing = ['Multiply', 'Add'];
const ofProbabilities = ['Softmax', 'Sub', 'Multiply', 'Add', 'Sum'];
const minimum = ['Minimum', 'LessEqual', 'Greater', 'Cast'];

/** Kernels that a loss needs beside those of every network, gradients included. */
export const lossKernels: Readonly<Record<Loss['kind'], readonly string[]>> = {
  crossEntropy: smoothing,
  binaryCrossEntropy: [...smoothing, 'Softplus', 'Sigmoid'],
  focal: [...smoothing, ...ofProbabilities, 'Maximum', 'GreaterEqual', 'Less', 'Pow'],
  mse: [...ofProbabilities, 'Square'],
  mae: [...ofProbabilities, 'Sign', 'ZerosLike'],
  huber: [...ofProbabilities, ...minimum, 'Sign', 'ZerosLike'],
};
