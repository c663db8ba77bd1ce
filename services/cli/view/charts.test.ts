import assert from 'node:assert/strict';
import { it } from 'node:test';
import { sparkline, stepBar } from './charts.ts';

for (const { done, total, bar } of [
  { done: 0, total: 4, bar: '────────' },
  { done: 1, total: 4, bar: '━━──────' },
  { done: 4, total: 4, bar: '━━━━━━━━' },
  { done: 9, total: 4, bar: '━━━━━━━━' },
  { done: 1, total: 0, bar: '────────' },
]) {
  it(`draws ${done} of ${total} as ${bar}`, () => assert.equal(stepBar(done, total, 8).join(''), bar));
}

it('is full only when all is done', () => {
  assert.equal(stepBar(999, 1000, 8).join(''), '━━━━━━━─');
});

for (const { values, width, line } of [
  { values: [], width: 5, line: '' },
  { values: [2, 2, 2], width: 5, line: '▁▁▁' },
  { values: [8, 1, 2, 3], width: 3, line: '▁▅█' },
  { values: [1, 2], width: 0, line: '' },
]) {
  it(`draws [${values}] in ${width} cells as "${line}"`, () => assert.equal(sparkline(values, width), line));
}
