// What is wrong with a value by a structural schema, as an API server with strict field validation would find it. A
// second implementation, for tests: it shares no code with zod. Of CEL it knows the exactly-one rule only.

import type { StructuralSchema } from '../structural-schema.ts';

type Tree = Readonly<Record<string, unknown>>;

export function valueProblems(schema: StructuralSchema, value: unknown, path = ''): string[] {
  if (schema.enum && !schema.enum.includes(value)) return [`${path}: ${JSON.stringify(value)} is not in the enum`];
  switch (schema.type) {
    case 'object':
      return isTree(value) ? objectProblems(schema, value, path) : [`${path}: not an object`];
    case 'array':
      return Array.isArray(value) ? listProblems(schema, value, path) : [`${path}: not a list`];
    case 'string':
      return typeof value === 'string' ? textProblems(schema, value, path) : [`${path}: not a text`];
    case 'boolean':
      return typeof value === 'boolean' ? [] : [`${path}: not true or false`];
    case 'integer':
    case 'number':
      return typeof value === 'number' ? numberProblems(schema, value, path) : [`${path}: not a number`];
  }
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function objectProblems(schema: StructuralSchema, value: Tree, path: string): string[] {
  const { properties = {}, additionalProperties, required = [] } = schema;
  const preserved = schema['x-kubernetes-preserve-unknown-fields'] === true;
  const missing = required.filter((key) => !(key in value)).map((key) => `${path}: ${key} is missing`);
  const inner = Object.entries(value).flatMap(([key, field]) => {
    const known = properties[key] ?? additionalProperties;
    if (known) return valueProblems(known, field, `${path}.${key}`);
    return preserved || path === '.metadata' ? [] : [`${path}: ${key} is unknown`];
  });
  return [...missing, ...inner, ...choiceProblems(schema, value, path)];
}

const exactlyOneRule = /^\[(.+)\]\.filter\(x, x == true\)\.size\(\) == 1$/;

function choiceProblems(schema: StructuralSchema, value: Tree, path: string): string[] {
  return (schema['x-kubernetes-validations'] ?? []).flatMap(({ rule }) => {
    const [, list] = exactlyOneRule.exec(rule) ?? [];
    if (list === undefined) return [];
    const keys = [...list.matchAll(/has\(self\.(\w+)\)/g)].map(([, key = '']) => key);
    const found = keys.filter((key) => key in value);
    return found.length === 1 ? [] : [`${path}: found ${found.length} of ${keys.join(', ')}`];
  });
}

function listProblems({ items, minItems = 0, maxItems = 0 }: StructuralSchema, value: unknown[], path: string) {
  const length = value.length < minItems || value.length > maxItems ? [`${path}: has ${value.length} entries`] : [];
  return [...length, ...value.flatMap((entry, i) => (items ? valueProblems(items, entry, `${path}[${i}]`) : []))];
}

function textProblems(schema: StructuralSchema, value: string, path: string): string[] {
  const { pattern, minLength = 0, maxLength = Number.POSITIVE_INFINITY } = schema;
  if (value.length < minLength || value.length > maxLength) return [`${path}: has ${value.length} characters`];
  return pattern === undefined || new RegExp(pattern).test(value) ? [] : [`${path}: "${value}" is not like ${pattern}`];
}

function numberProblems(schema: StructuralSchema, value: number, path: string): string[] {
  const { type, minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = schema;
  if (type === 'integer' && !Number.isInteger(value)) return [`${path}: ${value} is not whole`];
  const tooSmall = schema.exclusiveMinimum ? value <= minimum : value < minimum;
  const tooLarge = schema.exclusiveMaximum ? value >= maximum : value > maximum;
  return tooSmall || tooLarge ? [`${path}: ${value} is out of bounds`] : [];
}
