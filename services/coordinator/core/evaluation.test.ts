import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { scoreBins } from '@thaw/common/evaluation/score-bins.ts';
import { sparseOf } from '@thaw/common/evaluation/sparse-counts.ts';
import { fixedPointScale } from '@thaw/proto/frames/announcement.ts';
import type { Evaluated__Output } from '@thaw/proto/gen/thaw/v1/Evaluated.ts';
import { noFigures } from '@thaw/trainer/train/prediction-tally.ts';
import fc from 'fast-check';
import { someEvaluated } from '../testing/builders.ts';
import { evaluatedProblem, metricsOf, perClassMetrics, sumEvaluated } from './evaluation.ts';

const nothing = { cells: [], counts: [] };
const noScores = { positives: nothing, negatives: nothing };
const cells = fc.array(fc.nat(1000), { minLength: 9, maxLength: 9 });
const scores = fc.array(fc.nat(50), { minLength: 3 * scoreBins, maxLength: 3 * scoreBins }).map(sparseOf);
const aPart = fc.record({
  lossSum: fc.nat(2 ** 30),
  confusion: cells,
  badSamples: fc.nat(3),
  topFive: fc.nat(9),
  temperedLossSums: fc.tuple(fc.nat(2 ** 30), fc.nat(9)),
});
const aMember = fc.record({
  parts: fc.array(aPart, { maxLength: 6 }),
  positiveScores: scores,
  negativeScores: scores,
});

it('gives the same sums in any order and grouping of the parts', () => {
  fc.assert(
    fc.property(fc.array(aMember, { minLength: 1, maxLength: 4 }), fc.nat(), (members, cut) => {
      const all = members.map((member, m): Evaluated__Output => ({ ...member, parts: member.parts.map(widened(m)) }));
      const at = cut % all.length;
      const rotated = [...all.slice(at), ...all.slice(0, at)];
      const expected = sumEvaluated(all);
      assert.deepEqual(sumEvaluated(rotated), expected);
      const alone = all.map(({ parts }) => ({ parts, positiveScores: null, negativeScores: null }));
      const [one] = all.map((member) => ({ ...member, parts: [] }));
      assert.deepEqual(
        { ...sumEvaluated([...alone, one as Evaluated__Output]), scores: 0 },
        { ...expected, scores: 0 },
      );
    }),
    { numRuns: 25 },
  );
});

it('computes macro-F1 as its definition says, over the classes that occur or are predicted', () => {
  fc.assert(
    fc.property(cells, (confusion) => {
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
      assert.ok(Math.abs(metricsOf(sums({ confusion }), 3).macroF1 - expected) < 1e-12);
    }),
  );
});

it('gives loss and accuracy in plain units', () => {
  const given = sums({ confusion: [2, 1, 0, 1], lossSum: 6 * fixedPointScale });
  assert.deepEqual(
    { ...metricsOf(given, 2), macroF1: 0 },
    { loss: 1.5, accuracy: 0.75, macroF1: 0, auc: 0.5, count: 4 },
  );
});

it('says how often the class is among the first five only where there are more', () => {
  const five = sums({ confusion: [4], topFive: 3 });
  assert.equal(metricsOf(five, 6).top5, 0.75);
  assert.equal('top5' in metricsOf(five, 5), false);
});

it('gives a class that is never predicted precision 0, not NaN', () => {
  const [first] = perClassMetrics(sparseOf([0, 3, 0, 5]), 2);
  assert.deepEqual(first, { precision: 0, recall: 0, f1: 0, support: 3, predicted: 0 });
});

describe('what a member may not report', () => {
  const good = someEvaluated([0, 1], 0, 7);
  const withPart = (changes: Partial<Evaluated__Output['parts'][number]>): Evaluated__Output => ({
    ...good,
    parts: good.parts.map((part) => ({ ...part, ...changes })),
  });
  const cases: readonly (readonly [string, Evaluated__Output, RegExp | null])[] = [
    ['nothing wrong', good, null],
    ['no part', { ...good, parts: [] }, /reported 0 parts .*; expected 1/],
    ["another one's part", withPart({ part: 1 }), /part 1, which belongs to member 1/],
    [
      'a cell beyond the classes',
      withPart({ confusion: { cells: [4], counts: [10] } }),
      /part 0, whose confusion has cell 4/,
    ],
    [
      'a sample that is in no cell',
      withPart({ confusion: sparseOf([7, 2]) }),
      /9 samples in its confusion; expected 10/,
    ],
    ['no confusion', withPart({ confusion: null }), /0 samples in its confusion; expected 10/],
    ['more right than there are', withPart({ topFive: 11 }), /11 of 10 samples among the first five/],
    [
      'a loss at a temperature that nobody asked for',
      withPart({ temperedLossSums: [1] }),
      /part 0 at 1 temperatures; expected 0/,
    ],
    ['no scores', { ...good, positiveScores: null }, /reported 0 positive scores; expected 10/],
    ['too few scores', { ...good, negativeScores: sparseOf([9]) }, /reported 9 negative scores; expected 10/],
    [
      'a score of no class',
      { ...good, negativeScores: { cells: [512], counts: [10] } },
      /negative scores with cell 512/,
    ],
  ];
  for (const [name, evaluated, said] of cases) {
    it(name, () => {
      const problem = evaluatedProblem(evaluated, { member: 0, partOwners: [0, 1], classes: 2, temperatures: [] });
      if (said === null) assert.equal(problem, null);
      else assert.match(problem ?? 'nothing wrong', said);
    });
  }
});

function sums({ confusion, ...changes }: { confusion: number[]; lossSum?: number; topFive?: number }) {
  const count = total(confusion);
  return {
    lossSum: 0,
    count,
    badSamples: 0,
    topFive: 0,
    temperedLossSums: [],
    scores: noScores,
    ...changes,
    confusion: sparseOf(confusion),
  };
}

function widened(member: number) {
  return (
    part: { lossSum: number; confusion: number[]; badSamples: number; topFive: number; temperedLossSums: number[] },
    i: number,
  ) => ({
    ...part,
    part: 10 * member + i,
    count: total(part.confusion),
    confusion: sparseOf(part.confusion),
    ...noFigures,
  });
}

function total(confusion: readonly number[]): number {
  return confusion.reduce((sum, count) => sum + count, 0);
}
