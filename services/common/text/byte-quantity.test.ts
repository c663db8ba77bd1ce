import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byteQuantityPattern, bytesOfQuantity } from './byte-quantity.ts';

for (const [text, bytes] of [
  ['0', 0],
  ['1000', 1000],
  ['1k', 1000],
  ['512Mi', 512 * 2 ** 20],
  ['20Gi', 20 * 2 ** 30],
  ['0.5Ki', 512],
  ['1.9999', 1],
  ['3T', 3e12],
] as const) {
  test(`${text} is ${bytes} bytes`, () => assert.equal(bytesOfQuantity(text), bytes));
}

for (const text of ['', 'Gi', '20GB', '-1', '1e3', '1.', '1 Gi', '9'.repeat(400)]) {
  test(`"${text.slice(0, 9)}" is no number of bytes`, () => assert.doesNotMatch(text, byteQuantityPattern));
}
