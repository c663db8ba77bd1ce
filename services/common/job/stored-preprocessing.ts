// The form in which a result says how its pixels were prepared: preprocessing.json, and the metadata of its tfjs model.

import { z } from 'zod';

const size = z.int().positive();
const triple = z.tuple([z.number(), z.number(), z.number()]).readonly();

export const storedPreprocessingSchema = z.object({
  height: size,
  width: size,
  resize: z.enum(['squash', 'crop', 'pad']),
  channelOrder: z.enum(['rgb', 'bgr']),
  scale: z.number(),
  mean: triple,
  std: triple,
});
