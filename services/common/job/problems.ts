// Turns what is wrong with a job file into lines that say where (file, line, column, path), what was found, and what
// would be right, with the nearest known key for a misspelt one.

import type { z } from 'zod';
import { nearest } from '../text/nearest.ts';
import { jobSchema } from './schema/job.ts';

export type FieldPath = readonly (string | number)[];

export interface Problem {
  readonly path: FieldPath;
  readonly message: string;
  /** The path names a key that should not be there: the place is the key's, not its value's. */
  readonly atKey?: boolean;
}

type Issue = z.core.$ZodIssue;

/** `value`: the parsed YAML. */
export function problemsOf(issues: readonly Issue[], value: unknown): Problem[] {
  const misspelt = new Set(issues.filter(({ code }) => code === 'unrecognized_keys').map(({ path }) => path.join()));
  return issues.flatMap((issue) => {
    // The rule that exactly one key is there says nothing more about a misspelt one.
    if (issue.code === 'custom' && misspelt.has(issue.path.join())) return [];
    const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey([...path, key]));
    return [{ path, message: messageOf(issue, valueAt(value, path)) }];
  });
}

function unknownKey(path: FieldPath): Problem {
  const key = String(path.at(-1));
  const known = knownKeys(path.slice(0, -1));
  const [near] = nearest(key, known);
  const hint = near ? `did you mean "${near}"?` : `expected ${known.length > 0 ? known.join(', ') : 'no key here'}`;
  return { path, message: `found the unknown key "${key}"; ${hint}`, atKey: true };
}

function messageOf(issue: Issue, found: unknown): string {
  const described = found === undefined ? 'nothing' : describe(found);
  switch (issue.code) {
    case 'invalid_type':
      if (found === null) return `found no value; expected ${typeNames[issue.expected] ?? issue.expected}`;
      return `found ${described}; expected ${typeNames[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `found ${described}; expected ${issue.values.map((value) => String(value)).join(', ')}${suggestion(found, issue.values)}`;
    case 'too_small':
      return `found ${sizeOf(found)}; expected ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}${unitOf(found)}`;
    case 'too_big':
      return `found ${sizeOf(found)}; expected ${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}${unitOf(found)}`;
    case 'invalid_format':
      return `found ${described}; ${issue.message.startsWith('expected') ? issue.message : `expected ${issue.format}`}`;
    default:
      return issue.message;
  }
}

const typeNames: Readonly<Record<string, string>> = {
  object: 'an object (key: value lines, or {} for none)',
  array: 'a list',
  int: 'a whole number',
  number: 'a number',
  string: 'a text',
  boolean: 'true or false',
};

function suggestion(found: unknown, values: readonly unknown[]): string {
  const [near] = typeof found === 'string' ? nearest(found, values.map(String)) : [];
  return near ? ` (did you mean "${near}"?)` : '';
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value !== null && typeof value === 'object') return 'an object';
  return typeof value === 'string' ? `"${value}"` : String(value);
}

function sizeOf(value: unknown): string {
  return Array.isArray(value) ? `${value.length}` : describe(value);
}

function unitOf(value: unknown): string {
  return Array.isArray(value) ? ' entries' : '';
}

export function valueAt(value: unknown, path: FieldPath): unknown {
  return path.reduce<unknown>(
    (inner, key) => (inner as Record<string | number, unknown> | undefined | null)?.[key],
    value,
  );
}

/** Keys that the schema has at a path. */
function knownKeys(path: FieldPath): string[] {
  let schema: z.ZodType | undefined = jobSchema;
  for (const key of path) schema = inside(unwrapped(schema), key);
  const object = unwrapped(schema);
  return object && 'shape' in object ? Object.keys(object.shape as object) : [];
}

function inside(schema: z.ZodType | undefined, key: string | number): z.ZodType | undefined {
  if (!schema) return undefined;
  if ('element' in schema) return schema.element as z.ZodType;
  return 'shape' in schema ? (schema.shape as Record<string, z.ZodType>)[key] : undefined;
}

/** The type under optional, default and prefault. */
function unwrapped(schema: z.ZodType | undefined): z.ZodType | undefined {
  let inner = schema;
  while (inner && !('shape' in inner) && !('element' in inner) && 'innerType' in inner.def)
    inner = inner.def.innerType as z.ZodType;
  return inner;
}
