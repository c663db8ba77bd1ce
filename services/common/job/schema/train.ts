// spec.train: loss, optimizer, and the schedule of stages.

import { z } from 'zod';
import { count, fraction, nothing, notNegative, oneOf, positive } from './fields.ts';
import { stageSchema } from './stage.ts';

const learningRate = positive('Peak learning rate; a stage may set its own.');
const epsilon = positive('Keeps a division from exploding.').default(1e-7);
const betas = {
  beta1: fraction('Decay of the mean of gradients.').default(0.9),
  beta2: fraction('Decay of the mean of squared gradients.').default(0.999),
};

export const optimizerSchema = oneOf({
  sgd: z.strictObject({ learningRate }).describe('Plain gradient descent.'),
  momentum: z
    .strictObject({
      learningRate,
      momentum: fraction('Part of the velocity that stays.').default(0.9),
      nesterov: z.boolean().default(false).describe('Nesterov momentum.'),
    })
    .describe('Gradient descent with momentum.'),
  adam: z.strictObject({ learningRate, ...betas, epsilon }).describe('Adam.'),
  adamw: z
    .strictObject({
      learningRate,
      ...betas,
      epsilon,
      weightDecay: notNegative('Decoupled decay of kernels.').default(0.01),
    })
    .describe('Adam with decoupled weight decay.'),
  rmsprop: z
    .strictObject({
      learningRate,
      rho: fraction('Decay of the mean of squared gradients.').default(0.9),
      epsilon,
      momentum: fraction('Part of the velocity that stays.').default(0),
    })
    .describe('RMSprop.'),
}).describe('The optimizer: exactly one key.');

export const lossSchema = oneOf({
  crossEntropy: z
    .strictObject({ labelSmoothing: fraction('Mass that goes to the other classes.').default(0) })
    .describe('Categorical cross-entropy.'),
  binaryCrossEntropy: nothing('Binary cross-entropy.'),
  focal: z.strictObject({ gamma: notNegative('Focus on hard samples.').default(2) }).describe('Focal loss.'),
  mse: nothing('Mean squared error.'),
  mae: nothing('Mean absolute error.'),
  huber: z.strictObject({ delta: positive('Where it turns linear.').default(1) }).describe('Huber loss.'),
}).describe('The loss: exactly one key. Default: what the task implies.');

const mixing = (meaning: string) =>
  z
    .strictObject({
      alpha: positive('Parameter of the Beta distribution.').default(0.2),
      at: z.enum(['pixels', 'boundary']).default('pixels').describe('What is mixed.'),
    })
    .describe(meaning);

export const scheduleSchema = z
  .strictObject({
    preset: z
      .enum(['linear-probe', 'lp-ft', 'ulmfit', 'fastai', 'full', 'auto'])
      .optional()
      .describe('A known schedule, expanded into stages; `thaw plan` shows them.'),
    epochs: count("Epochs of each of a preset's stages.").optional(),
    stages: z.array(stageSchema).min(1).max(64).optional().describe('The stages, in order.'),
  })
  .describe('What is trainable when: a preset or a list of stages.');

export const trainSchema = z
  .strictObject({
    seed: z.int().min(0).max(4294967295).default(1).describe('Of every random number of the job.'),
    microBatch: z
      .int()
      .min(2)
      .max(4096)
      .default(16)
      .describe('Samples that one shard gives to one step; a step uses shards x microBatch.'),
    loss: lossSchema.optional(),
    optimizer: optimizerSchema,
    gradientClip: z
      .strictObject({ norm: positive('Largest global norm.') })
      .optional()
      .describe('Scales the gradient down to this norm.'),
    l2: notNegative('λ of λ/2·‖w‖² on kernels.').default(0),
    onNonFinite: z.enum(['fail', 'skipStep']).default('fail').describe('What a NaN or infinite gradient does.'),
    classWeights: oneOf({ balanced: nothing("Inverse to the classes' frequency.") })
      .optional()
      .describe('Weights of the classes.'),
    mixup: mixing('Mixes pairs of samples.').optional(),
    cutmix: mixing('Pastes parts of one sample into another.').optional(),
    ema: z
      .strictObject({ decay: fraction('Part of the average that stays.') })
      .optional()
      .describe('Moving average of the weights.'),
    schedule: scheduleSchema,
  })
  .describe('How it is trained.');
