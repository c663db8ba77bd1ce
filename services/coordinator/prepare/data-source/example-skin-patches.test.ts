import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pairsIn, sideBySide } from './example-skin-patches.ts';

test('two pairs of each photograph come from each folder, and half a pair is none', () => {
  const similar = [0, 1, 2, 3, 4, 10, 11, 12, 13, 14];
  const files = similar.flatMap((pair) => [`patch${pair}a.bmp`, `patch${pair}b.bmp`]);
  assert.deepEqual(pairsIn(files), [0, 1, 10, 11]);
  assert.deepEqual(pairsIn(files.filter((name) => name !== 'patch10b.bmp')), [0, 1, 11]);
  const different = similar.map((pair) => pair + 5).flatMap((pair) => [`patch${pair}b.bmp`, `patch${pair}a.bmp`]);
  assert.deepEqual(pairsIn(different), [5, 6, 15, 16]);
});

test('a pair stands side by side, row by row', () => {
  const column = (upper: number, lower: number) => {
    return { width: 1, height: 2, pixels: Uint8Array.from([upper, upper, upper, lower, lower, lower]) };
  };
  const { width, height, pixels } = sideBySide(column(1, 2), column(3, 4));
  assert.deepEqual([width, height], [2, 2]);
  assert.deepEqual([...pixels], [1, 1, 1, 3, 3, 3, 2, 2, 2, 4, 4, 4]);
});
