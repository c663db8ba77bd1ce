// Building blocks of the job schema. No value is string-or-object, and a choice is an object with exactly one key, so
// that the custom resource definition made from it is structural.

import { z } from 'zod';
import { byteQuantityPattern } from '../../text/byte-quantity.ts';

/** An object with exactly one of the given keys: `{dense: {units: 128}}`. Generated schemas see that by its meta. */
export function oneOf<Shape extends Record<string, z.ZodType>>(choices: Shape) {
  const optional = Object.fromEntries(Object.entries(choices).map(([key, type]) => [key, type.optional()]));
  return z
    .strictObject(optional as { [Key in keyof Shape]: z.ZodOptional<Shape[Key]> })
    .superRefine((value, context) => {
      const found = Object.keys(value as object);
      if (found.length === 1) return;
      const message = `found ${found.length === 0 ? 'no key' : found.join(' and ')}; expected exactly one of ${Object.keys(choices).join(', ')}`;
      context.addIssue({ code: 'custom', message });
    })
    .meta({ minProperties: 1, maxProperties: 1 });
}

export const fraction = (meaning: string) => z.number().min(0).max(1).describe(meaning);
export const count = (meaning: string) => z.int().min(1).max(1_000_000_000).describe(meaning);
export const positive = (meaning: string) => z.number().gt(0).describe(meaning);
export const notNegative = (meaning: string) => z.number().min(0).describe(meaning);
export const nothing = (meaning: string) => z.strictObject({}).describe(meaning);

export const source = (meaning: string) =>
  z
    .string()
    .regex(
      /^(file|example|builtin|s3|https?):.+$/,
      'expected file:PATH, example:NAME, builtin:NAME, s3:, http: or https:',
    )
    .describe(meaning);

/** As Kubernetes writes them. */
export const byteQuantity = (meaning: string) =>
  z.string().regex(byteQuantityPattern, 'expected bytes such as "512Mi", "2Gi" or "0"').describe(meaning);
