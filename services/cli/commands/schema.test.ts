import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonSchema } from '@thaw/common/job/generate/json-schema.ts';
import { capturedWorld } from '../testing/captured-world.ts';
import { schemaCommand } from './schema.ts';

const world = capturedWorld({ cwd: '/nowhere', cacheDirectory: '/nowhere' });
await schemaCommand(world).parseAsync([], { from: 'user' });
const schema = JSON.parse(world.written()) as JsonSchema & { $schema: string; title: string };

/** Every field below a schema, by its path. */
function fieldsOf({ properties = {}, items }: JsonSchema, path = ''): [string, JsonSchema][] {
  const own = Object.entries(properties).flatMap(([key, field]): [string, JsonSchema][] => [
    [`${path}${key}`, field],
    ...fieldsOf(field, `${path}${key}.`),
  ]);
  return items ? [...own, ...fieldsOf(items, `${path}[].`)] : own;
}

test('thaw schema prints a document of its own that editors recognise', () => {
  assert.equal(schema.$schema, 'http://json-schema.org/draft-07/schema#');
  assert.equal(schema.title, 'Thaw FineTuneJob');
  assert.deepEqual(schema.required, ['apiVersion', 'kind', 'metadata', 'spec']);
  assert.ok(!world.written().includes('$ref'), 'some editors do not follow references');
});

test('every field says what it means', () => {
  const fields = fieldsOf(schema);
  assert.ok(fields.length > 100);
  assert.deepEqual(
    fields.filter(([, { description }]) => !description).map(([path]) => path),
    [],
  );
});

const expected: [string, Partial<JsonSchema>][] = [
  ['spec.data.shards', { default: 8, minimum: 1, maximum: 4096, type: 'integer' }],
  ['spec.train.optimizer', { minProperties: 1, maxProperties: 1, additionalProperties: false }],
  ['spec.trainers.engine', { default: 'tensorflow', enum: ['tensorflow', 'wasm', 'cpu', 'auto'] }],
  ['apiVersion', { const: 'thaw.dev/v1alpha1' }],
];

for (const [path, keywords] of expected) {
  test(`${path} has its bounds, values and default`, () => {
    const field = Object.fromEntries(fieldsOf(schema))[path];
    assert.deepEqual({ ...field, ...keywords }, field);
  });
}

test('a field with a default may be left out', () => {
  const { trainers } = schema.properties?.spec?.properties ?? {};
  assert.equal(trainers?.required, undefined);
  assert.ok(!schema.properties?.spec?.required?.includes('trainers'));
});
