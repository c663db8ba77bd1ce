// The job schema as JSON Schema: what editors complete and check job files with, and what the custom resource
// definition and the reference page are made from. Pure: the same text for the same zod schema.

import { z } from 'zod';
import { jobSchema } from '../schema/job.ts';

/** The keywords that the job schema uses. */
export interface JsonSchema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly propertyNames?: JsonSchema;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
}

/** The job file as people write it: fields with a default are not required. */
export function jobJsonSchema(): JsonSchema {
  const { $schema: _dialect, ...schema } = z.toJSONSchema(jobSchema, {
    io: 'input',
    target: 'draft-7',
    reused: 'inline',
  });
  return schema as JsonSchema;
}

/** A document of its own, draft 7, which the YAML plug-ins of editors know. */
export function editorSchema(): string {
  const head = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Thaw FineTuneJob',
    description: 'A fine-tuning job of Thaw, version v1alpha1.',
  };
  return `${JSON.stringify({ ...head, ...jobJsonSchema() }, null, 2)}\n`;
}

/** Whether an object is a choice: exactly one of its keys may be there. */
export function isChoice({ minProperties, maxProperties }: JsonSchema): boolean {
  return minProperties === 1 && maxProperties === 1;
}
