import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { defaultRateRange, type RangePoint, rangeRateAt, rangeRecord, suggestedRate } from './range-test.ts';

const losses = fc.array(fc.double({ min: 0.01, max: 100, noNaN: true }), { minLength: 1, maxLength: 60 });
const steps = 100;

/** Points of a curve that is given as it would be after smoothing. */
function curve(smoothed: (step: number) => number, length = steps): RangePoint[] {
  return Array.from({ length }, (_, step) => ({
    learningRate: rangeRateAt(defaultRateRange, step),
    loss: 0,
    smoothedLoss: smoothed(step),
  }));
}

describe('the rates of a range', () => {
  it('begin and end exactly where they should and grow by one factor', () => {
    const range = fc.record({
      from: fc.double({ min: 1e-9, max: 1e-2, noNaN: true }),
      factor: fc.double({ min: 1.5, max: 1e9, noNaN: true }),
      steps: fc.integer({ min: 20, max: 300 }),
    });
    fc.assert(
      fc.property(range, ({ from, factor, steps: count }) => {
        const to = from * factor;
        const rates = Array.from({ length: count }, (_, step) => rangeRateAt({ from, to, steps: count }, step));
        assert.deepEqual([rates[0], rates.at(-1)], [from, to]);
        const growth = factor ** (1 / (count - 1));
        for (const [i, rate] of rates.slice(1).entries()) {
          assert.ok(Math.abs(rate / (rates[i] as number) / growth - 1) < 1e-9, `step ${i + 1}`);
        }
      }),
    );
  });
});

describe('a recorded loss', () => {
  it('is smoothed to the mean of all losses, each weighing 0.98 of the one after it', () => {
    fc.assert(
      fc.property(losses, (given) => {
        const record = rangeRecord();
        const added: number[] = [];
        for (const loss of given) {
          if (record.diverged) break;
          added.push(loss);
          record.add(0.1, loss);
        }
        const weights = added.map((_, i) => 0.98 ** (added.length - 1 - i));
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const mean = added.reduce((sum, loss, i) => sum + loss * (weights[i] as number), 0) / total;
        const last = record.points.at(-1) as RangePoint;
        assert.ok(Math.abs(last.smoothedLoss / mean - 1) < 1e-9, `${last.smoothedLoss} ${mean}`);
        assert.equal(last.loss, added.at(-1));
      }),
    );
  });

  it('ends the test once its mean is above 4 times the least, and no sooner', () => {
    fc.assert(
      fc.property(losses, (given) => {
        const record = rangeRecord();
        for (const loss of given) if (!record.diverged) record.add(0.1, loss);
        const smoothed = record.points.map(({ smoothedLoss }) => smoothedLoss);
        const isOver = smoothed.map((loss, i) => loss > 4 * Math.min(...smoothed.slice(0, i + 1)));
        assert.equal(isOver.indexOf(true), record.diverged ? smoothed.length - 1 : -1);
      }),
    );
    const record = rangeRecord();
    record.add(0.1, 1);
    record.add(0.2, 1000);
    assert.ok(record.diverged);
    assert.throws(() => record.add(0.4, 1), /after the end/);
  });
});

describe('a suggestion', () => {
  const cases: readonly [string, (step: number) => number, number | null][] = [
    ['is where a falling curve is steepest', (step) => 2 / (1 + Math.exp((step - 60) / 5)), 60],
    ['takes the lowest rate of a straight fall', (step) => 500 - step, 10],
    ['is none where the loss only rises', (step) => step, null],
    ['is none where it stays', () => 1, null],
    ['leaves out a fall in the first tenth', (step) => (step < 5 ? 90 - step : step === 50 ? 80 : 81), 49],
    ['leaves out a fall in the last five points', (step) => (step > 95 ? 0 : step > 50 ? 8 : 9), 50],
  ];
  for (const [name, smoothed, expected] of cases) {
    it(name, () => {
      const points = curve(smoothed);
      assert.equal(suggestedRate(points, steps), expected === null ? null : points[expected]?.learningRate);
    });
  }

  it('is none for a curve that ended before there is anything between the ends', () => {
    assert.equal(
      suggestedRate(
        curve((step) => 50 - step, 16),
        steps,
      ),
      null,
    );
  });

  it('does not depend on the unit of the loss', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(1000), { minLength: 20, maxLength: steps }),
        fc.integer({ min: -8, max: 8 }),
        (ys, power) => {
          const plain = curve((step) => ys[step] as number, ys.length);
          const scaled = curve((step) => (ys[step] as number) * 2 ** power, ys.length);
          assert.equal(suggestedRate(scaled, steps), suggestedRate(plain, steps));
        },
      ),
    );
  });
});
