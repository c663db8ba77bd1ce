import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyedStream, permutation, philox } from './stream.ts';

test('philox4x32-10 gives the known answers of the Random123 distribution', () => {
  const zero = philox(0, 0);
  assert.deepEqual(
    [zero.uint32(), zero.uint32(), zero.uint32(), zero.uint32()],
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  );
});

test('a stream depends on every part of its key', () => {
  const first = (...parts: (string | number)[]) => keyedStream(7, 'order', ...parts).uint32();
  const values = [first(0, 'a'), first(1, 'a'), first(0, 'b'), first('0a'), keyedStream(8, 'order', 0, 'a').uint32()];
  assert.equal(new Set(values).size, values.length);
  assert.equal(first(0, 'a'), first(0, 'a'));
});

test('a permutation holds every index once', () => {
  for (const count of [0, 1, 2, 100]) {
    const order = permutation(keyedStream(1, 'order', count), count);
    assert.deepEqual(
      [...order].sort((a, b) => a - b),
      [...Array(count).keys()],
    );
  }
});
