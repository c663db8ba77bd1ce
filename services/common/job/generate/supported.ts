// Which fields and values of the format are refused by name for now. Found by asking the check that job files meet
// (not-supported.ts) about a small job with that one value in it, so the reference page cannot promise too much.

import { invariant } from '../../errors/thaw-error.ts';
import { notSupported } from '../not-supported.ts';
import { apiVersion, jobKind, jobSchema } from '../schema/job.ts';
import { isChoice, type JsonSchema, jobJsonSchema } from './json-schema.ts';

/** Keys from the root; `[]` stands for the first entry of a list. */
export type SchemaPath = readonly string[];

type Tree = Record<string, unknown>;

const smallJob = {
  apiVersion,
  kind: jobKind,
  metadata: { name: 'small' },
  spec: {
    task: 'imageClassification',
    model: { source: 'example:small' },
    data: { source: 'example:small' },
    train: {
      optimizer: { sgd: { learningRate: 1 } },
      schedule: { stages: [{ name: 'head', trainable: ['head/**'], epochs: 1 }] },
    },
  },
};

/** Whether a job with this value at this place is taken; `value` defaults to any value that the schema allows. */
export function isSupported(path: SchemaPath, value?: unknown): boolean {
  const job = structuredClone(smallJob) as Tree;
  put({ into: job, schema: jobJsonSchema(), path, value });
  const parsed = jobSchema.safeParse(job);
  invariant(parsed.success, `${path.join('.')}: the sample value fits the schema (${parsed.error?.message})`);
  return notSupported(parsed.data).length === 0;
}

interface Place {
  readonly into: Tree;
  readonly schema: JsonSchema;
  readonly path: SchemaPath;
  readonly value: unknown;
}

function put({ into, schema, path: [key = '', ...rest], value }: Place): void {
  const isList = key === '[]';
  const inner = (isList ? schema.items : schema.properties?.[key]) ?? {};
  const slot = isList ? '0' : key;
  if (isChoice(schema)) for (const other of Object.keys(into)) if (other !== key) delete into[other];
  if (rest.length === 0) {
    into[slot] = value ?? sample(inner);
    return;
  }
  into[slot] ??= inner.type === 'array' ? [] : sample(inner);
  put({ into: into[slot] as Tree, schema: inner, path: rest, value });
}

const sampleTexts = ['small', 'file:small', '1Gi'];

/** Some value that the schema allows; numbers are not zero where they need not be. */
function sample(schema: JsonSchema): unknown {
  const { type, properties = {}, required = [], items = {}, minItems = 0 } = schema;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  switch (type) {
    case 'object': {
      const keys = isChoice(schema) ? Object.keys(properties).slice(0, 1) : required;
      return Object.fromEntries(keys.map((key) => [key, sample(properties[key] ?? {})]));
    }
    case 'array':
      return Array.from({ length: minItems }, () => sample(items));
    case 'integer':
    case 'number':
      return sampleNumber(schema);
    case 'boolean':
      return true;
    default:
      return sampleTexts.find((text) => new RegExp(schema.pattern ?? '').test(text)) ?? 'small';
  }
}

function sampleNumber({
  type,
  minimum = 0,
  maximum = 1,
  exclusiveMaximum = Number.POSITIVE_INFINITY,
}: JsonSchema): number {
  const value = Math.max(minimum, Math.min(1, maximum));
  if (value < exclusiveMaximum) return value;
  return type === 'integer' ? exclusiveMaximum - 1 : (minimum + exclusiveMaximum) / 2;
}
