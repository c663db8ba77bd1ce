// calibration.json: the temperature that belongs to a result, for `thaw predict` and for whoever uses the model otherwise.

import { z } from 'zod';

export const storedCalibrationVersion = 1;

export const storedCalibrationSchema = z.object({
  version: z.number(),
  /** Logits are divided by it before the softmax. */
  temperature: z.number().positive(),
  /** Validation samples that it was fitted on. */
  samples: z.int().min(0),
});

export type StoredCalibration = z.infer<typeof storedCalibrationSchema>;
