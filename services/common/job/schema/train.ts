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

const smoothing = (meaning: string) => ({ labelSmoothing: fraction(meaning).default(0) });
const evenly = 'Part of the target that is spread evenly over all classes.';

/** All of them as Keras defines them. */
export const lossSchema = oneOf({
  crossEntropy: z.strictObject(smoothing(evenly)).describe('Categorical cross-entropy, on softmax outputs.'),
  binaryCrossEntropy: z
    .strictObject(smoothing('Part of every target that becomes one half.'))
    .describe(
      'Mean of one binary cross-entropy a class. The outputs are sigmoids, each class on its own, so they need not add up to 1; the predicted class is the largest.',
    ),
  focal: z
    .strictObject({
      gamma: notNegative('Focus on hard samples.').default(2),
      alpha: positive('Factor on the loss.').default(0.25),
      ...smoothing(evenly),
    })
    .describe('Categorical focal cross-entropy, on softmax outputs.'),
  mse: nothing('Mean squared error of the softmax outputs to the one-hot class.'),
  mae: nothing('Mean absolute error of the softmax outputs to the one-hot class.'),
  huber: z
    .strictObject({ delta: positive('Error at which it turns linear.').default(1) })
    .describe('Huber loss of the softmax outputs to the one-hot class.'),
}).describe(
  'The loss, of training and of every evaluation: exactly one key. Default: what the task implies, for images crossEntropy.',
);

const classWeightsSchema = oneOf({
  balanced: nothing("n / (k n_c): inverse to the class' frequency in the training set, 1 on average over its samples."),
  perClass: z.record(z.string(), positive('Weight of the class.')).describe('By class name; every class is named.'),
}).describe(
  "Factors on the samples' losses in training: exactly one key. As in Keras the sum is divided by the number of samples, and evaluation is unweighted.",
);

const mixing = (alpha: number, meaning: string) =>
  z
    .strictObject({
      alpha: positive('Shares are drawn from Beta(alpha, alpha), one for each shard and step.').default(alpha),
      at: z
        .enum(['pixels', 'boundary'])
        .default('pixels')
        .describe(
          'What is mixed. boundary: the features of the frozen part, which stay cached. pixels: the frozen part runs again in every step.',
        ),
    })
    .describe(meaning);

export const scheduleSchema = z
  .strictObject({
    preset: z
      .enum(['linear-probe', 'lp-ft', 'ulmfit', 'fastai', 'full', 'auto'])
      .optional()
      .describe(
        'A known schedule, expanded into stages; `thaw plan` shows them. fastai: the rates of its fine_tune (one epoch of ' +
          'the head, then everything at half the rate, falling block by block to a hundredth at the input), each stage ' +
          'with the curve oneCycle. auto: the head, then one block more in each of up to three stages, in the order ' +
          'that is measured after the head.',
      ),
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
    l2: notNegative('λ of λ/2·‖w‖² on kernels, which is l2(λ/2) in Keras.').default(0),
    onNonFinite: z.enum(['fail', 'skipStep']).default('fail').describe('What a NaN or infinite gradient does.'),
    classWeights: classWeightsSchema.optional(),
    mixup: mixing(
      0.2,
      'Blends each sample, and its target, with another of its micro-batch. With cutmix too, each is drawn half of the time.',
    ).optional(),
    cutmix: mixing(
      1,
      'Pastes a box of another sample of the micro-batch into each; the target is shared by area.',
    ).optional(),
    ema: z
      .strictObject({
        decay: z.number().min(0).lt(1).default(0.99).describe("Part of the average that stays; Keras' ema_momentum."),
      })
      .optional()
      .describe(
        'Moving average of the weights. It is evaluated, kept as best and exported, and the next stage starts from it.',
      ),
    schedule: scheduleSchema,
  })
  .describe('How it is trained.');
