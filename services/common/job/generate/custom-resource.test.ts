import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { jobSchema } from '../schema/job.ts';
import { type customResourceDefinition, customResourceYaml } from './custom-resource.ts';
import type { JsonSchema } from './json-schema.ts';
import { type StructuralSchema, structural } from './structural-schema.ts';
import { structuralProblems } from './testing/structural-rules.ts';
import { valueProblems } from './testing/structural-value.ts';

const text = customResourceYaml();
const definition = parse(text) as ReturnType<typeof customResourceDefinition>;
const [version] = definition.spec.versions;
const schema = version?.schema.openAPIV3Schema as StructuralSchema;

const bytesMax = 200 * 1024;
const examples = fileURLToPath(new URL('../../../../examples/', import.meta.url));

function aJob(change: (spec: Record<string, unknown>) => void = () => {}): Record<string, unknown> {
  const spec = {
    task: 'imageClassification',
    model: { source: 'file:model.json', head: [{ globalAveragePooling: {} }, { dense: { units: 8 } }] },
    data: { source: 'file:data', shards: 4, augment: [{ flip: {} }] },
    train: {
      optimizer: { adamw: { learningRate: 1e-3 } },
      schedule: { stages: [{ name: 'head', trainable: ['head/**'], epochs: 1 }] },
    },
  };
  change(spec);
  return { apiVersion: 'thaw.dev/v1alpha1', kind: 'FineTuneJob', metadata: { name: 'skin-lesions' }, spec };
}

test('the definition is structural, bounded, and its defaults are valid', () => {
  assert.deepEqual(structuralProblems(schema), []);
});

test('the definition is small enough for a client-side apply', () => {
  assert.ok(Buffer.byteLength(text) < bytesMax, `${Buffer.byteLength(text)} bytes`);
});

test('kubectl scale and kubectl get find their fields', () => {
  assert.equal(definition.metadata.name, 'finetunejobs.thaw.dev');
  assert.deepEqual(definition.spec.names.shortNames, ['ftj']);
  assert.deepEqual(version?.subresources, {
    status: {},
    scale: {
      specReplicasPath: '.spec.trainers.replicas',
      statusReplicasPath: '.status.trainers.replicas',
      labelSelectorPath: '.status.trainers.selector',
    },
  });
  const columns = version?.additionalPrinterColumns.map(({ name }) => name.toUpperCase());
  assert.deepEqual(columns, ['STATE', 'PROGRESS', 'STAGE', 'LOSS', 'TRAINERS', 'ETA', 'AGE']);
  const { replicas } = schema.properties?.spec?.properties?.trainers?.properties ?? {};
  assert.equal(replicas?.default, 1, 'GET /scale fails where replicas may be missing');
  assert.deepEqual(schema.properties?.spec?.properties?.trainers?.default, {}, 'and it is filled in');
});

const refused: [string, (spec: Record<string, unknown>) => void, RegExp][] = [
  ['an unknown key', (spec) => Object.assign(spec, { modle: {} }), /modle is unknown/],
  [
    'two keys of a choice',
    (spec) => Object.assign(spec.train as object, { optimizer: { sgd: {}, adam: {} } }),
    /found 2/,
  ],
  ['no key of a choice', (spec) => Object.assign(spec.model as object, { head: [{}] }), /found 0/],
  [
    'a rate of 0',
    (spec) => Object.assign(spec.train as object, { optimizer: { sgd: { learningRate: 0 } } }),
    /out of b/,
  ],
  ['a broken number', (spec) => Object.assign(spec.data as object, { shards: 1.5 }), /not whole/],
  ['a value outside its enum', (spec) => Object.assign(spec, { task: 'poetry' }), /not in the enum/],
  ['a source without a scheme', (spec) => Object.assign(spec.data as object, { source: 'data' }), /is not like/],
  [
    'both preset and stages',
    (spec) => Object.assign((spec.train as { schedule: object }).schedule, { preset: 'full' }),
    /found 2/,
  ],
];

test('a valid job passes', () => {
  assert.deepEqual(valueProblems(schema, aJob()), []);
});

for (const [what, change, expected] of refused) {
  test(`${what} is refused`, () => {
    assert.match(valueProblems(schema, aJob(change)).join('\n'), expected);
  });
}

test('the examples are valid, for zod and for Kubernetes', { skip: !existsSync(examples) && 'no examples' }, () => {
  const files = readdirSync(examples).filter((name) => name.endsWith('.yaml'));
  assert.ok(files.length > 0, 'no example has the ending .yaml');
  for (const file of files) {
    const job = parse(readFileSync(examples + file, 'utf8')) as unknown;
    assert.deepEqual(valueProblems(schema, job), [], file);
    assert.deepEqual(valueProblems(schema, jobSchema.parse(job)), [], `${file} with its defaults`);
  }
});

/** Each breaks one rule; without the rule's check these pass unnoticed. */
const broken: [string, StructuralSchema | Record<string, unknown>, RegExp][] = [
  ['const', { type: 'string', const: 'a', maxLength: 1 }, /const is forbidden/],
  ['anyOf', { type: 'string', anyOf: [], maxLength: 1 }, /anyOf is forbidden/],
  ['$ref', { $ref: '#/x', type: 'object' }, /\$ref is forbidden/],
  ['a missing type', { properties: {} }, /the type is undefined/],
  ['closed properties', { type: 'object', properties: {}, additionalProperties: false }, /beside additionalProp/],
  ['a numeric exclusive bound', { type: 'number', exclusiveMinimum: 0 }, /exclusiveMinimum is not true/],
  ['a default out of bounds', { type: 'integer', minimum: 1, default: 0 }, /default: 0 is out of bounds/],
  ['an open text', { type: 'string' }, /text without a bound/],
  [
    'a rule about nothing',
    { type: 'object', 'x-kubernetes-validations': [{ rule: 'self.a == 1', message: 'a' }] },
    /unknown field a/,
  ],
  [
    'a rule that the default breaks',
    {
      type: 'object',
      default: {},
      properties: { a: { type: 'integer', default: 1 } },
      'x-kubernetes-validations': [{ rule: 'self.a == 1', message: 'a' }],
    },
    /a default cannot meet/,
  ],
];

for (const [what, field, expected] of broken) {
  test(`a schema with ${what} would not be structural`, () => {
    const { status: _status, ...properties } = schema.properties ?? {};
    const changed = { ...schema, properties: { ...properties, odd: field as StructuralSchema } };
    assert.match(structuralProblems(changed).join('\n'), expected);
  });
}

test('a keyword that has no place is refused by name instead of dropped', () => {
  const odd = { type: 'string', contentEncoding: 'base64' } as JsonSchema;
  assert.throws(() => structural({ type: 'object', properties: { odd } }), /odd: found the keyword contentEncoding/);
});
