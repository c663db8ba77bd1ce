import assert from 'node:assert/strict';
import { test } from 'node:test';
import { argmax } from './argmax.ts';

test('the first of equal values wins, and NaN never over a number before it', () => {
  assert.equal(argmax([0.2, 0.4, 0.4]), 1);
  assert.equal(argmax([0.5, 0.5]), 0);
  assert.equal(argmax([0.1, Number.NaN, 0.2]), 2);
});
