// What Thaw writes into models of its own, whatever the format: how their pixels were prepared, where the head begins, and
// what their classes are called.

import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { SourcePreprocessing } from '@thaw/common/job/resolved-job.ts';
import { storedPreprocessingSchema } from '@thaw/common/job/stored-preprocessing.ts';
import { z } from 'zod';

export interface ThawMetadata {
  readonly preprocessing?: SourcePreprocessing;
  /** Name of the layer that the head was put on. */
  readonly cut?: string;
  /** Names of its classes. */
  readonly labels?: readonly string[];
}

const schema = z
  .object({ preprocessing: storedPreprocessingSchema, cut: z.string().min(1), labels: z.array(z.string()) })
  .partial();

/** `place` names file and field in errors. Throws ModelInvalid. */
export function thawMetadata(stored: unknown, place: string): ThawMetadata {
  const { success, data, error } = schema.safeParse(stored ?? {});
  if (!success) {
    const [issue] = error.issues;
    throw new ThawError('ModelInvalid', `${place}.${issue?.path.join('.')}: ${issue?.message}`);
  }
  const { preprocessing, cut, labels } = data;
  return { ...(preprocessing && { preprocessing }), ...(cut !== undefined && { cut }), ...(labels && { labels }) };
}
