import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { addSparse, denseOf, matrixOf, type SparseCounts, sparseOf, sparseProblem, totalOf } from './sparse-counts.ts';

const size = 12;
const dense = fc.array(fc.oneof(fc.constant(0), fc.nat(1000)), { minLength: size, maxLength: size });

it('is the same counts as the dense form, and adds up to the same in any order', () => {
  fc.assert(
    fc.property(fc.array(dense, { maxLength: 6 }), (all) => {
      const sums = Array.from({ length: size }, (_, cell) => all.reduce((sum, one) => sum + (one[cell] as number), 0));
      const added = addSparse(all.map(sparseOf));
      assert.deepEqual(added, sparseOf(sums));
      assert.deepEqual(addSparse([...all].reverse().map(sparseOf)), added);
      assert.deepEqual([...denseOf(added, size)], sums);
      assert.deepEqual(matrixOf(added, 3).flat(), sums.slice(0, 9));
      assert.equal(totalOf(added), totalOf({ cells: [], counts: sums }));
      assert.equal(sparseProblem(added, size), null);
    }),
  );
});

describe('what may not come from elsewhere', () => {
  const cases: readonly (readonly [string, SparseCounts, RegExp])[] = [
    ['a count without a cell', { cells: [1], counts: [1, 2] }, /1 cells and 2 counts; expected as many/],
    ['a cell beyond the last', { cells: [1, 12], counts: [1, 1] }, /cell 12; expected cells below 12/],
    ['a cell twice', { cells: [3, 3], counts: [1, 1] }, /cell 3 after cell 3; expected them rising/],
    ['falling cells', { cells: [3, 2], counts: [1, 1] }, /cell 2 after cell 3/],
    ['a count of nothing', { cells: [3], counts: [0] }, /no count in cell 3/],
  ];
  for (const [name, counts, said] of cases) {
    it(name, () => assert.match(sparseProblem(counts, size) ?? 'nothing wrong', said));
  }
});
