// One stage of the schedule: an absolute set of trainable tensors with its own rates and its own end.

import { z } from 'zod';
import { count, notNegative, positive } from './fields.ts';

export const metricNames = ['loss', 'accuracy', 'macroF1', 'auc'] as const;

export const stageSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'expected lower-case letters, digits and dashes, at most 63')
      .describe('Unique among the stages.'),
    trainable: z
      .array(z.string().min(1))
      .min(1)
      .max(256)
      .describe(
        'What trains: globs over whole layer paths (head/**, backbone/block5_*), last(n), the last n backbone blocks, ' +
          'block(NAME), or ranked(n), the n blocks whose gradients are largest against their weights: measured once, ' +
          'with the best weights of the stage before the first one that says so.',
      ),
    epochs: count('Epochs at most.').optional(),
    steps: count('Steps at most, instead of epochs.').optional(),
    advanceOn: z
      .strictObject({
        metric: z.enum(metricNames).describe('Validation metric that is watched.'),
        mode: z.enum(['min', 'max']).optional().describe('Default: min for loss, max for the others.'),
        patience: count('Epochs without improvement that end the stage.').default(3),
        minDelta: notNegative('What counts as an improvement.').default(0),
      })
      .optional()
      .describe('Ends the stage before its epochs are over.'),
    learningRate: positive("Peak rate of the stage. Default: the optimizer's.").optional(),
    warmup: z
      .int()
      .min(0)
      .default(0)
      .describe('Steps of linear warm-up. 0 with oneCycle and slantedTriangular, which warm up themselves.'),
    curve: z
      .enum(['constant', 'cosine', 'linear', 'oneCycle', 'slantedTriangular'])
      .default('constant')
      .describe('Course of the rate after the warm-up.'),
    layerDecay: z
      .number()
      .gt(0)
      .max(1)
      .default(1)
      .describe('Factor on the rate for each block further from the output.'),
    batchNorm: z
      .enum(['frozen', 'adapt', 'train'])
      .default('frozen')
      .describe(
        'Statistics of batch normalisation. frozen: none moves. train: thawed layers normalise by the micro-batch of ' +
          'their shard and move theirs. adapt: those of frozen layers are measured once over the training set.',
      ),
    optimizerState: z
      .enum(['keep', 'reset'])
      .default('keep')
      .describe('Whether tensors trained before keep their optimizer slots.'),
    onEnter: z
      .enum(['continue', 'restoreBest'])
      .default('continue')
      .describe('From which weights the stage starts: the last, or the best of the stage before.'),
    l2sp: notNegative('α of α/2·‖w−w₀‖², w₀ pretrained.').default(0),
    microBatch: z.int().min(2).max(4096).optional().describe('Own micro-batch of the stage.'),
    ema: z.number().min(0).lt(1).optional().describe('Own decay of the moving average of the weights; 0 = none.'),
  })
  .describe('A stage.');
