// The type column of the reference page: bounds and values in words that a person reads at once.

import type { JsonSchema } from './json-schema.ts';
import { isSupported, type SchemaPath } from './supported.ts';

export function typeText(field: JsonSchema, path: SchemaPath): string {
  if (field.const !== undefined) return `\`${String(field.const)}\``;
  if (field.enum) return valuesText(field.enum, (value) => isSupported(path, value));
  switch (field.type) {
    case 'array':
      return listText(field, path);
    case 'integer':
      return `integer${boundsText(field)}`;
    case 'number':
      return `number${boundsText(field)}`;
    case 'boolean':
      return '`true`, `false`';
    case 'string':
      return textText(field, path);
    default:
      return field.additionalProperties instanceof Object ? mapText(field.additionalProperties) : 'object';
  }
}

function mapText({ type }: JsonSchema): string {
  return type === 'number' ? 'numbers by name' : 'texts by name';
}

function listText({ items = {}, minItems = 0, maxItems }: JsonSchema, path: SchemaPath): string {
  const length = minItems === maxItems ? `${minItems} ` : '';
  if (items.enum) return `list of ${valuesText(items.enum, (value) => isSupported(path, [value]))}`;
  if (items.type === 'object') return `list of objects${atMost(maxItems)}`;
  return `list of ${length}${items.type === 'string' ? 'texts' : 'numbers'}${length === '' ? atMost(maxItems) : ''}`;
}

function atMost(maxItems: number | undefined): string {
  return maxItems === undefined ? '' : `, at most ${maxItems}`;
}

function valuesText(values: readonly unknown[], supported: (value: unknown) => boolean): string {
  return values.map((value) => `\`${String(value)}\`${supported(value) ? '' : ' *not yet*'}`).join(', ');
}

/** `, 0..1`, `> 0`, `≥ 1`. */
function boundsText({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonSchema): string {
  const closed = maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? undefined : maximum;
  if (minimum !== undefined && closed !== undefined) return `, ${minimum}..${closed}`;
  const low = exclusiveMinimum === undefined ? minimum !== undefined && `≥ ${minimum}` : `> ${exclusiveMinimum}`;
  const high = exclusiveMaximum === undefined ? closed !== undefined && `≤ ${closed}` : `< ${exclusiveMaximum}`;
  const bounds = [low, high].filter((bound) => bound !== false);
  return bounds.length === 0 ? '' : ` ${bounds.join(', ')}`;
}

const schemesPattern = /^\^\(([a-z0-9|?]+)\):/;

/** A source by its schemes, another patterned text by its pattern. */
function textText({ pattern }: JsonSchema, path: SchemaPath): string {
  if (pattern === undefined) return 'text';
  const [, schemes] = schemesPattern.exec(pattern) ?? [];
  if (schemes === undefined) return `text like \`${pattern.replaceAll('|', '\\|')}\``;
  const names = schemes
    .split('|')
    .flatMap((name) => (name.endsWith('s?') ? [name.slice(0, -2), name.slice(0, -1)] : [name]));
  return valuesText(
    names.map((name) => `${name}:`),
    (value) => isSupported(path, `${String(value)}small`),
  );
}
