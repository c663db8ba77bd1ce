// The rules by which an API server takes or refuses the schema of a custom resource definition
// (apiextensions.k8s.io/v1: ValidateStructural, defaulting, CEL placement), for tests. Reads the schema as parsed YAML,
// because what counts is the committed text.

import type { StructuralSchema } from '../structural-schema.ts';
import { valueProblems } from './structural-value.ts';

type Types = readonly StructuralSchema['type'][];

/** Keywords by the types that they may stand on; null: on any. */
const keywords: Readonly<Record<string, Types | null>> = {
  type: null,
  description: null,
  default: null,
  enum: ['string', 'integer', 'number'],
  format: ['integer'],
  minimum: ['integer', 'number'],
  maximum: ['integer', 'number'],
  exclusiveMinimum: ['integer', 'number'],
  exclusiveMaximum: ['integer', 'number'],
  minLength: ['string'],
  maxLength: ['string'],
  pattern: ['string'],
  items: ['array'],
  minItems: ['array'],
  maxItems: ['array'],
  properties: ['object'],
  additionalProperties: ['object'],
  required: ['object'],
  maxProperties: ['object'],
  'x-kubernetes-preserve-unknown-fields': ['object'],
  'x-kubernetes-validations': ['object'],
};

const types: Types = ['object', 'array', 'string', 'integer', 'number', 'boolean'];

/** Where a schema stands. */
interface Place {
  readonly path: string;
  readonly insideList: boolean;
  /** Inside an object that has a default: its rules are checked before inner defaults are filled in. */
  readonly insideDefault: boolean;
}

export function structuralProblems(root: StructuralSchema): string[] {
  return [...rootProblems(root), ...problemsAt(root, { path: '', insideList: false, insideDefault: false })];
}

function rootProblems({ type, properties = {} }: StructuralSchema): string[] {
  const { metadata, apiVersion, kind } = properties;
  const problems = [];
  if (type !== 'object') problems.push('the root is not an object');
  if (apiVersion?.type !== 'string' || kind?.type !== 'string') problems.push('apiVersion or kind is not a text');
  const { properties: named = {}, ...rest } = metadata ?? {};
  if (JSON.stringify(rest) !== '{"type":"object"}') problems.push('metadata says more than its type and name');
  const others = Object.keys(named).filter((key) => key !== 'name' && key !== 'generateName');
  if (others.length > 0) problems.push(`metadata restricts ${others.join(', ')}`);
  return problems;
}

function problemsAt(schema: StructuralSchema, place: Place): string[] {
  const { path } = place;
  const insideDefault = place.insideDefault || schema.default !== undefined;
  const own = [...keywordProblems(schema, path), ...boundProblems(schema, path), ...shapeProblems(schema, path)];
  const rules = ruleProblems(schema, { ...place, insideDefault });
  const preset = schema.default === undefined ? [] : valueProblems(schema, schema.default, `${path} default`);
  const inner = Object.entries(schema.properties ?? {}).flatMap(([key, property]) =>
    problemsAt(property, { ...place, path: `${path}.${key}`, insideDefault }),
  );
  const { items, additionalProperties } = schema;
  const entries = items ? problemsAt(items, { path: `${path}[]`, insideList: true, insideDefault }) : [];
  const values = additionalProperties
    ? problemsAt(additionalProperties, { path: `${path}{}`, insideList: true, insideDefault })
    : [];
  return [...own, ...rules, ...preset, ...inner, ...entries, ...values];
}

function keywordProblems(schema: StructuralSchema, path: string): string[] {
  if (!types.includes(schema.type)) return [`${path}: the type is ${schema.type}`];
  return Object.keys(schema).flatMap((keyword) => {
    const allowed = keywords[keyword];
    if (allowed === undefined) return [`${path}: ${keyword} is forbidden`];
    return allowed === null || allowed.includes(schema.type) ? [] : [`${path}: ${keyword} on a ${schema.type}`];
  });
}

/** Every text and list is bounded, and bounds are of the types that OpenAPI v3.0 wants. */
function boundProblems(schema: StructuralSchema, path: string): string[] {
  const { type, maxLength, maxItems, maxProperties, pattern } = schema;
  const problems = [];
  for (const [exclusive, bound] of [
    ['exclusiveMinimum', 'minimum'],
    ['exclusiveMaximum', 'maximum'],
  ] as const) {
    if (schema[exclusive] === undefined || (schema[exclusive] === true && schema[bound] !== undefined)) continue;
    problems.push(`${path}: ${exclusive} is not true beside a ${bound}`);
  }
  if (type === 'string' && maxLength === undefined && !schema.enum && !/^\.(apiVersion|kind)$/.test(path)) {
    problems.push(`${path}: a text without a bound`);
  }
  if (type === 'array' && maxItems === undefined) problems.push(`${path}: a list without a bound`);
  if (schema.additionalProperties && maxProperties === undefined) problems.push(`${path}: a map without a bound`);
  if (pattern !== undefined) new RegExp(pattern);
  return problems;
}

function shapeProblems(schema: StructuralSchema, path: string): string[] {
  const { type, items, properties, additionalProperties, required = [] } = schema;
  const problems = required.filter((key) => !properties?.[key]).map((key) => `${path}: requires the unknown ${key}`);
  if (type === 'array' && !items) problems.push(`${path}: a list without items`);
  if (properties && additionalProperties !== undefined) {
    problems.push(`${path}: properties beside additionalProperties`);
  }
  return problems;
}

function ruleProblems(schema: StructuralSchema, { path, insideList, insideDefault }: Place): string[] {
  return (schema['x-kubernetes-validations'] ?? []).flatMap(({ rule, message }) => {
    const problems = [];
    if (message === '') problems.push(`${path}: a rule without a message`);
    if (insideList && rule.includes('oldSelf')) problems.push(`${path}: oldSelf inside a list never runs`);
    if (insideDefault && !rule.includes('has(self.')) problems.push(`${path}: a rule that a default cannot meet`);
    for (const [, field = ''] of rule.matchAll(/\b(?:self|oldSelf)\.([A-Za-z.]+)/g)) {
      if (!has(schema, field.split('.'))) problems.push(`${path}: a rule about the unknown field ${field}`);
    }
    return problems;
  });
}

function has(schema: StructuralSchema | undefined, [key, ...rest]: readonly string[]): boolean {
  if (schema === undefined) return false;
  return key === undefined || has(schema.properties?.[key], rest);
}
