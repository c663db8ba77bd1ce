// spec.data: where the samples are, how they are divided, how they are varied.

import { z } from 'zod';
import { count, fraction, oneOf, source } from './fields.ts';

const pair = (size: z.ZodNumber, meaning: string) => z.array(size).length(2).describe(meaning);
const positiveNumber = z.number().gt(0);

export const augmentationSchema = oneOf({
  flip: z
    .strictObject({
      axis: z.enum(['horizontal', 'vertical']).default('horizontal').describe('Which way the picture is mirrored.'),
    })
    .describe('Mirrors every other picture.'),
  crop: z
    .strictObject({
      area: pair(positiveNumber.max(1), 'Smallest and largest part of the picture, 0..1.').default([0.8, 1]),
      aspect: pair(positiveNumber, 'Narrowest and widest width / height.').default([0.75, 1.3333]),
    })
    .describe('A random part of the picture, resized to the input. Done first, on the whole picture; at most one.'),
  rotate: z
    .strictObject({ degrees: z.number().gt(0).max(180).describe('Largest angle, either way.') })
    .describe('Turns about the centre.'),
  brightness: z.strictObject({ amount: fraction('Bytes are multiplied by 1 ± this.') }).describe('Lighter or darker.'),
  contrast: z
    .strictObject({ amount: fraction('The distance from the mean is multiplied by 1 ± this.') })
    .describe('More or less contrast.'),
  randAugment: z
    .strictObject({
      operations: z.int().min(1).max(14).default(2).describe('Operations on each picture.'),
      magnitude: z.int().min(0).max(30).default(9).describe('Strength of all of them.'),
    })
    .describe(
      'RandAugment with the operations and magnitudes of torchvision: shears, shifts, turns, brightness, colour, contrast, sharpness, posterize, solarize, autocontrast, equalize.',
    ),
}).describe('One augmentation: exactly one key.');

export const splitSchema = z
  .strictObject({
    train: fraction('Part of the samples that trains.').optional(),
    validation: fraction('Part that decides on stages and the best epoch.').optional(),
    test: fraction('Part that is evaluated once, at the end.').optional(),
    group: z
      .string()
      .min(1)
      .optional()
      .describe('CSV column of a group id, such as a patient: no group lies in two sets.'),
    folders: z
      .strictObject({
        train: source('Source of the training set.'),
        validation: source('Source of the validation set.'),
        test: source('Source of the test set.'),
      })
      .optional()
      .describe('Three sources of their own instead of fractions.'),
  })
  .describe(
    'How samples are divided: by the hash of their id, class by class (default 0.8, 0.1, 0.1), or by explicit folders.',
  );

export const dataSchema = z
  .strictObject({
    source: source(
      'The samples: a folder of class folders, or a CSV with columns path and label. Relative paths start at the folder of the job file.',
    ),
    format: z
      .enum(['imageFolder', 'csv', 'jsonl', 'kinetics', 'webdataset'])
      .optional()
      .describe('Default: csv for a .csv file, else imageFolder.'),
    split: splitSchema.default({}),
    shards: z
      .int()
      .min(1)
      .max(4096)
      .default(8)
      .describe(
        'V: numbered parts of the training set. Decides the result, so it never follows the cluster. At least trainers.max.',
      ),
    augment: z
      .array(augmentationSchema)
      .max(16)
      .default([])
      .describe('Variations of training samples, applied in order.'),
    views: count('Augmented versions of every training sample; epoch e uses view e mod views.').default(1),
    maxBadSamples: fraction('Part of a set that may be unreadable before the job fails.').default(0.01),
  })
  .describe('The data set.');
