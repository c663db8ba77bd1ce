// From JSON Schema to what Kubernetes calls a structural schema: OpenAPI v3 without $ref, const, propertyNames or
// numeric exclusive bounds, unknown keys pruned instead of forbidden, every text and list bounded, and a CEL rule where
// exactly one key may be there.

import { ThawError } from '../../errors/thaw-error.ts';
import { isChoice, type JsonSchema } from './json-schema.ts';

export interface CelRule {
  readonly rule: string;
  readonly message: string;
}

export interface StructuralSchema {
  readonly type: NonNullable<JsonSchema['type']>;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly format?: 'int32' | 'int64';
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly exclusiveMaximum?: boolean;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: StructuralSchema;
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
  readonly additionalProperties?: StructuralSchema;
  readonly required?: readonly string[];
  readonly maxProperties?: number;
  readonly 'x-kubernetes-preserve-unknown-fields'?: true;
  readonly 'x-kubernetes-validations'?: readonly CelRule[];
}

/** Rules between fields, by the path of the object that they stand on: `spec.train.schedule`, `….stages[]`. */
export type RulesAt = Readonly<Record<string, readonly CelRule[]>>;

/** Bounds where the job schema has none: a path is no longer, and CEL needs a bound to estimate what a rule costs. */
const textLengthMax = 4096;
const listLengthMax = 256;
const mapEntriesMax = 256;
const int32Max = 2 ** 31 - 1;

/** Throws Internal for a keyword that Kubernetes does not know, instead of dropping what it promised. */
export function structural(schema: JsonSchema, rules: RulesAt = {}, path = ''): StructuralSchema {
  const { description, default: preset, ...rest } = schema;
  const common = {
    ...(description !== undefined && { description }),
    ...(preset !== undefined && { default: preset }),
  };
  switch (rest.type) {
    case 'object':
      return { ...common, ...objectSchema(rest, rules, path) };
    case 'array':
      return { ...common, ...listSchema(rest, rules, path) };
    case 'string':
      return { ...common, ...textSchema(rest, path) };
    case 'integer':
    case 'number':
      return { ...common, ...numberSchema(rest, path) };
    case 'boolean':
      return { ...common, ...emptied(rest, path, { type: 'boolean' }) };
    default:
      throw new ThawError('Internal', `${path}: found a schema without a type; Kubernetes needs one`);
  }
}

function objectSchema(schema: JsonSchema, rules: RulesAt, path: string): StructuralSchema {
  const { properties = {}, required = [], additionalProperties, propertyNames: _names, ...rest } = schema;
  const { minProperties: _min, maxProperties: _max, ...others } = rest;
  const own = [...(isChoice(schema) ? [exactlyOne(Object.keys(properties))] : []), ...(rules[path] ?? [])];
  if (typeof additionalProperties === 'object') {
    const values = structural(additionalProperties, rules, `${path}{}`);
    return emptied(others, path, { type: 'object', additionalProperties: values, maxProperties: mapEntriesMax });
  }
  const inner = Object.entries(properties).map(([key, property]) => {
    return [key, structural(property, rules, path === '' ? key : `${path}.${key}`)] as const;
  });
  return emptied(others, path, {
    type: 'object',
    ...(inner.length > 0 && { properties: Object.fromEntries(inner) }),
    ...(required.length > 0 && { required }),
    ...(own.length > 0 && { 'x-kubernetes-validations': own }),
  });
}

function listSchema(
  { items, minItems, maxItems, ...rest }: JsonSchema,
  rules: RulesAt,
  path: string,
): StructuralSchema {
  if (!items) throw new ThawError('Internal', `${path}: found a list without items; Kubernetes needs them`);
  return emptied(rest, path, {
    type: 'array',
    items: structural(items, rules, `${path}[]`),
    ...(minItems !== undefined && { minItems }),
    maxItems: maxItems ?? listLengthMax,
  });
}

function textSchema({ const: only, enum: values, minLength, maxLength, pattern, ...rest }: JsonSchema, path: string) {
  if (only !== undefined || values) {
    return emptied(rest, path, { type: 'string', enum: values ?? [only] });
  }
  return emptied(rest, path, {
    type: 'string',
    ...(pattern !== undefined && { pattern }),
    ...(minLength !== undefined && { minLength }),
    maxLength: maxLength ?? textLengthMax,
  });
}

function numberSchema(schema: JsonSchema, path: string): StructuralSchema {
  const { type, minimum, maximum, exclusiveMinimum, exclusiveMaximum, ...rest } = schema;
  const low = exclusiveMinimum ?? minimum;
  const high = exclusiveMaximum ?? maximum;
  const fitsInt32 = high !== undefined && high <= int32Max;
  return emptied(rest, path, {
    type: type === 'integer' ? 'integer' : 'number',
    ...(type === 'integer' && { format: fitsInt32 ? 'int32' : 'int64' }),
    ...(low !== undefined && { minimum: low }),
    ...(exclusiveMinimum !== undefined && { exclusiveMinimum: true }),
    ...(high !== undefined && { maximum: high }),
    ...(exclusiveMaximum !== undefined && { exclusiveMaximum: true }),
  });
}

/** `made`, once nothing is left of the source but its type. */
function emptied({ type: _type, ...left }: JsonSchema, path: string, made: StructuralSchema): StructuralSchema {
  const [keyword] = Object.keys(left);
  if (keyword === undefined) return made;
  throw new ThawError(
    'Internal',
    `${path}: found the keyword ${keyword}, which has no place in a structural schema yet`,
  );
}

/** As controller-tools writes it, so that its cost is known to be small. */
export function exactlyOne(keys: readonly string[]): CelRule {
  const found = keys.map((key) => `has(self.${key})`).join(', ');
  return {
    rule: `[${found}].filter(x, x == true).size() == 1`,
    message: `exactly one of ${keys.join(', ')} is expected`,
  };
}
