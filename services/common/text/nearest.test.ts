import assert from 'node:assert/strict';
import { test } from 'node:test';
import { editDistance, nearest } from './nearest.ts';

test('edit distance counts insertions, deletions and substitutions', () => {
  for (const [a, b, distance] of [
    ['', 'abc', 3],
    ['kitten', 'sitting', 3],
    ['same', 'same', 0],
  ] as const) {
    assert.equal(editDistance(a, b), distance);
  }
});

test('the nearest name is offered, and nothing when all are far', () => {
  assert.deepEqual(nearest('optimiser', ['output', 'optimizer', 'option']), ['optimizer']);
  assert.deepEqual(nearest('zzz', ['optimizer', 'loss']), []);
});
