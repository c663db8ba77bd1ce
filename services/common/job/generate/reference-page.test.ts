import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type JsonSchema, jobJsonSchema } from './json-schema.ts';
import { referencePage } from './reference-page.ts';
import { isSupported } from './supported.ts';

const page = referencePage();

function fieldNames({ properties = {}, items }: JsonSchema): string[] {
  const own = Object.entries(properties).flatMap(([name, field]) => [name, ...fieldNames(field)]);
  return items ? [...own, ...fieldNames(items)] : own;
}

test('every field of the schema has a row', () => {
  const rows = [...page.matchAll(/^\| \[?`([^`]+)`/gm)].map(([, name = '']) => name.split('.').at(-1) as string);
  const names = fieldNames(jobJsonSchema());
  assert.deepEqual(rows.toSorted(), names.toSorted());
});

test('every link leads to a heading of the page', () => {
  const anchors = [...page.matchAll(/^## `(.+)`$/gm)].map(([, title = '']) =>
    title.toLowerCase().replaceAll(/[^a-z]/g, ''),
  );
  const links = [...page.matchAll(/\]\(#([^)]+)\)/g)].map(([, target = '']) => target);
  assert.ok(links.length > 5);
  assert.deepEqual(links.toSorted(), anchors.filter((anchor) => links.includes(anchor)).toSorted());
});

test('every row has the four cells of the table', () => {
  for (const line of page.split('\n').filter((text) => text.startsWith('| '))) {
    assert.equal(line.replaceAll('\\|', '').split('|').length, 6, line);
  }
});

const cases: [string, unknown, boolean][] = [
  ['spec.task', 'imageClassification', true],
  ['spec.task', 'languageModeling', false],
  ['spec.model.source', 'file:model.json', true],
  ['spec.model.source', 's3://bucket/model.json', true],
  ['spec.data.source', 's3://bucket/data', false],
  ['spec.model.head.[].dense.units', 8, true],
  ['spec.train.optimizer.adamw.weightDecay', 0.1, true],
  ['spec.train.loss.crossEntropy', {}, true],
  ['spec.train.loss.huber', {}, true],
  ['spec.train.schedule.preset', 'lp-ft', true],
  ['spec.train.schedule.preset', 'auto', true],
  ['spec.output.formats', ['keras'], true],
  ['spec.output.formats', ['tfjs'], true],
];

for (const [path, value, supported] of cases) {
  test(`${path}: ${JSON.stringify(value)} is ${supported ? 'supported' : 'refused for now'}`, () => {
    assert.equal(isSupported(path.split('.'), value), supported);
  });
}

test('what is refused for now is marked, and nothing else', () => {
  assert.match(page, /^\| `task` \| `imageClassification`, `videoClassification` \*not yet\*/m);
  assert.match(page, /^\| `schedule.preset` \| .*`auto` \| /m);
  assert.match(page, /^\| `retention.onExceed` \| `stop`, `rollback` \| /m);
  assert.match(page, /^\| `l2` \| number ≥ 0 \| `0` \| λ/m);
});
