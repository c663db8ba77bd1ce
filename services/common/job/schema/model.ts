// spec.model: the pretrained network, how it wants its pixels, where it is cut, and the new head.

import { z } from 'zod';
import { architectureNames } from '../../model/architectures/architectures.ts';
import { count, fraction, nothing, oneOf, positive, source } from './fields.ts';

const builtins = architectureNames.map((name) => `builtin:${name}`).join(', ');

const activation = z
  .enum(['linear', 'relu', 'relu6', 'sigmoid', 'tanh', 'softmax', 'elu', 'gelu', 'silu'])
  .describe('Activation function.');

const channels = (number: z.ZodNumber, meaning: string) => z.array(number).length(3).describe(meaning);

export const inputSchema = z
  .strictObject({
    size: z
      .int()
      .min(8)
      .max(4096)
      .optional()
      .describe('Height and width in pixels. Default: what the model was made for.'),
    height: z.int().min(8).max(4096).optional().describe('Height in pixels, where it differs from the width.'),
    width: z.int().min(8).max(4096).optional().describe('Width in pixels, where it differs from the height.'),
    resize: z
      .enum(['squash', 'crop', 'pad'])
      .optional()
      .describe(
        'How a picture of another shape is fitted: squash (as Keras), crop the centre, or pad with black. Default: as the model was trained by Thaw, else squash.',
      ),
    preset: z
      .enum(['caffe', 'torch', 'tf', 'unit'])
      .optional()
      .describe(
        'Known pixel preparations: caffe (bgr, minus the ImageNet mean; VGG, ResNet50), torch (0..1, minus mean, over std), tf (-1..1; Inception, MobileNet), unit (0..1).',
      ),
    range: z
      .array(z.number())
      .length(2)
      .optional()
      .describe('Bytes 0..255 are mapped to this range, before mean and std.'),
    mean: channels(z.number(), 'Subtracted per channel, in the order of `channels`.').optional(),
    std: channels(z.number().gt(0), 'Divided by per channel, in the order of `channels`.').optional(),
    channels: z.enum(['rgb', 'bgr']).optional().describe('Order of the channels that the model expects. Default: rgb.'),
  })
  .describe(
    'How pixels are prepared. Examples, builtins and results of Thaw carry it; another file without it is refused.',
  );

export const headLayerSchema = oneOf({
  globalAveragePooling: nothing('Mean over height and width.'),
  globalMaxPooling: nothing('Maximum over height and width.'),
  flatten: nothing('All values as one vector.'),
  dense: z
    .strictObject({
      units: count('Outputs of the layer.'),
      activation: activation.default('linear'),
      useBias: z.boolean().default(true).describe('Whether a bias is added.'),
    })
    .describe('A fully connected layer.'),
  dropout: z
    .strictObject({ rate: z.number().min(0).lt(1).describe('Fraction of the values that are dropped in training.') })
    .describe('Dropout.'),
  batchNormalization: z
    .strictObject({
      momentum: fraction('Momentum of the moving statistics.').default(0.99),
      epsilon: positive('Added to the variance.').default(1e-3),
    })
    .describe('Batch normalisation.'),
  activation: z.strictObject({ function: activation }).describe('An activation of its own.'),
}).describe('One layer of the head: exactly one key.');

export const weightsSchema = oneOf({
  source: z
    .string()
    .regex(/^(file|example|s3|https?):.+$/, 'expected file:PATH, example:NAME, s3:, http: or https:')
    .describe(
      "A Keras file, safetensors or a tfjs layers-model; its layers are found by their names, for builtin:resnet50 also by torchvision's. An http(s): or s3://BUCKET/KEY address is best with `#sha256=…` behind it. `example:vgg16-imagenet` is for builtin:vgg16.",
    ),
  none: nothing('Random weights, drawn from train.seed as Keras draws them.'),
}).describe('The weights of a builtin: model, which has none of its own: exactly one key.');

export const modelSchema = z
  .strictObject({
    source: source(
      `The pretrained model: a Keras file (.h5, .keras) or a tfjs layers-model (its model.json), as file:PATH or from https://… or s3://BUCKET/KEY (best with #sha256=… behind it), an example: from an installed package, or a topology of Keras (${builtins}).`,
    ),
    weights: weightsSchema.optional(),
    input: inputSchema.optional(),
    cut: z
      .string()
      .min(1)
      .optional()
      .describe('Name of the layer where the old head ends. Default: the last layer before the classifier.'),
    head: z
      .array(headLayerSchema)
      .max(64)
      .default([{ globalAveragePooling: {} }])
      .describe('Layers of the new head, without the output layer, which follows from task and data.'),
  })
  .describe('The pretrained network and its new head.');
