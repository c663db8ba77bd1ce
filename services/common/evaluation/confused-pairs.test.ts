import assert from 'node:assert/strict';
import { it } from 'node:test';
import { confusedPairsMax, confusionOf, matrixClassesMax } from './confused-pairs.ts';
import { sparseOf } from './sparse-counts.ts';

it('names the most confused pairs first, with their share of the class', () => {
  const matrix = [[7, 1, 2], [3, 7, 0], [0, 0, 5]]; // biome-ignore format: a matrix
  const { confusion, confusedPairs } = confusionOf(sparseOf(matrix.flat()), ['a', 'b', 'c']);
  assert.deepEqual(confusion, matrix);
  assert.deepEqual(
    confusedPairs.map(({ truth, prediction, count, share }) => [truth, prediction, count, share]),
    [
      ['b', 'a', 3, 0.3],
      ['a', 'c', 2, 0.2],
      ['a', 'b', 1, 0.1],
    ],
  );
});

it('is pairs alone where there are many classes, and a bounded number of them', () => {
  const classes = Array.from({ length: 20_000 }, (_, i) => `class ${i}`);
  const cells = classes.flatMap((_, i) => [i * classes.length + ((i + 1) % classes.length), i * classes.length + 7]);
  const rising = [...new Set(cells)].sort((a, b) => a - b);
  const { confusion, confusedPairs } = confusionOf({ cells: rising, counts: rising.map(() => 1) }, classes);
  assert.deepEqual([confusion.length, confusedPairs.length], [0, confusedPairsMax]);
  const few = classes.slice(0, matrixClassesMax);
  assert.equal(confusionOf({ cells: [], counts: [] }, few).confusion.length, matrixClassesMax);
});
