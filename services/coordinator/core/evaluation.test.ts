import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { fixedPointScale, metricsOf, perClassMetrics, sumParts } from './evaluation.ts';

const cells = fc.array(fc.nat(1000), { minLength: 9, maxLength: 9 });
const aPart = fc.record({ lossSum: fc.nat(2 ** 30), confusion: cells, badSamples: fc.nat(3) });

it('gives the same sums in any order and grouping of the parts', () => {
  fc.assert(
    fc.property(fc.array(aPart, { minLength: 1, maxLength: 20 }), fc.nat(), (parts, cut) => {
      const numbered = parts.map((part, i) => ({ part: i, count: total(part.confusion), ...part }));
      const at = cut % numbered.length;
      const rotated = [...numbered.slice(at), ...numbered.slice(0, at)];
      assert.deepEqual(metricsOf(sumParts(rotated, 3), 3), metricsOf(sumParts(numbered, 3), 3));
    }),
  );
});

it('computes macro-F1 as its definition says, over the classes that occur or are predicted', () => {
  fc.assert(
    fc.property(cells, (confusion) => {
      const sums = { lossSum: 0, count: total(confusion), badSamples: 0, confusion };
      const f1s: number[] = [];
      for (const c of [0, 1, 2]) {
        let [tp, fp, fn] = [0, 0, 0];
        for (const truth of [0, 1, 2]) {
          for (const guess of [0, 1, 2]) {
            const n = confusion[truth * 3 + guess] ?? 0;
            if (truth === c && guess === c) tp += n;
            else if (guess === c) fp += n;
            else if (truth === c) fn += n;
          }
        }
        if (tp + fp + fn > 0) f1s.push((2 * tp) / (2 * tp + fp + fn));
      }
      const expected = f1s.length === 0 ? 0 : f1s.reduce((a, b) => a + b, 0) / f1s.length;
      assert.ok(Math.abs(metricsOf(sums, 3).macroF1 - expected) < 1e-12);
    }),
  );
});

it('gives loss and accuracy in plain units', () => {
  const sums = { lossSum: 6 * fixedPointScale, count: 4, badSamples: 0, confusion: [2, 1, 0, 1] };
  assert.deepEqual({ ...metricsOf(sums, 2), macroF1: 0 }, { loss: 1.5, accuracy: 0.75, macroF1: 0, count: 4 });
});

it('gives a class that is never predicted precision 0, not NaN', () => {
  const [first] = perClassMetrics([0, 3, 0, 5], 2);
  assert.deepEqual(first, { precision: 0, recall: 0, f1: 0, support: 3, predicted: 0 });
});

function total(confusion: readonly number[]): number {
  return confusion.reduce((sum, count) => sum + count, 0);
}
