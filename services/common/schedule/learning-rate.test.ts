import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import fc from 'fast-check';
import type { Curve } from '../job/resolved-job.ts';
import { curveFactor, learningRateAt, warmsUpItself } from './learning-rate.ts';
import { stageStepsMax } from './steps.ts';

/** What holds for a curve, as factors on the stage's rate. */
interface CurveLaw {
  readonly curve: Curve;
  /** Of its first step. */
  readonly first: number;
  /** The part of the stage in which it rises, up to the whole rate; from there on it never rises again. */
  readonly rise: number;
  /** Beyond its last step: a stage of T steps comes within one step of it. */
  readonly end: number;
  /** The most that it moves from one step of T to the next. */
  readonly slope: (total: number) => number;
}

const laws: readonly CurveLaw[] = [
  { curve: 'constant', first: 1, rise: 0, end: 1, slope: () => 0 },
  { curve: 'linear', first: 1, rise: 0, end: 0, slope: (total) => 1 / total },
  { curve: 'cosine', first: 1, rise: 0, end: 0, slope: (total) => Math.PI / 2 / total },
  { curve: 'oneCycle', first: 1 / 25, rise: 0.3, end: 1 / 250_000, slope: (total) => Math.PI / 2 / (0.3 * total) },
  { curve: 'slantedTriangular', first: 1 / 32, rise: 0.1, end: 1 / 32, slope: (total) => 1 / Math.max(1, Math.floor(0.1 * total)) },
]; // biome-ignore format: a table

const rounding = 1e-12;
const lengths = fc.integer({ min: 1, max: 400 });

function factors(curve: Curve, total: number): number[] {
  return Array.from({ length: total }, (_, t) => curveFactor(curve, t, total));
}

for (const { curve, first, rise, end, slope } of laws) {
  describe(`the curve ${curve}`, () => {
    const holds = (check: (values: readonly number[], total: number) => void): void => {
      fc.assert(fc.property(lengths, (total) => check(factors(curve, total), total)));
    };

    it('stays above 0 and never passes the rate', () => {
      holds((values) => assert.ok(values.every((value) => value > 0 && value <= 1)));
    });

    it(`begins at ${first} of the rate and comes within a step of ${end}`, () => {
      holds((values, total) => {
        // A single step is begin and end at once.
        assert.ok(Math.abs((values[0] as number) - first) < rounding, `${values[0]}`);
        if (total > 1) assert.ok(Math.abs((values.at(-1) as number) - end) <= slope(total) + rounding, `${values}`);
      });
    });

    it(`rises for ${100 * rise} % of its steps, comes within a step of the whole rate, and never rises again`, () => {
      holds((values, total) => {
        const peak = values.indexOf(Math.max(...values));
        for (let t = 1; t < total; t++) {
          const [before, value] = [values[t - 1] as number, values[t] as number];
          assert.ok(t <= peak ? value > before : value <= before, `step ${t} of ${total}`);
        }
        if (total === 1 || rise === 0) assert.equal(peak, 0);
        else assert.ok(Math.abs(peak - rise * total) < 1, `the peak of ${total} steps is at ${peak}`);
        if (total > 1) assert.ok((values[peak] as number) >= 1 - slope(total));
      });
    });

    it('jumps nowhere', () => {
      holds((values, total) => {
        for (let t = 1; t < total; t++) {
          const moved = Math.abs((values[t] as number) - (values[t - 1] as number));
          assert.ok(moved <= slope(total) + rounding, `step ${t} of ${total} moves by ${moved}`);
        }
      });
    });
  });
}

const stages = fc.record({
  learningRate: fc.double({ min: 1e-6, max: 10, noNaN: true }),
  warmupSteps: fc.nat(30),
  curve: fc.constantFrom(...laws.map(({ curve }) => curve)),
});

function rates(stage: Parameters<typeof learningRateAt>[0]['stage'], stageSteps: number): number[] {
  return Array.from({ length: stageSteps }, (_, stepInStage) => learningRateAt({ stage, stepInStage, stageSteps }));
}

describe('warm-up', () => {
  const warmed = fc
    .tuple(stages, lengths)
    .filter(([{ warmupSteps, curve }]) => warmupSteps > 0 && !warmsUpItself(curve));

  it('rises by the same amount in every step, and the last one has the whole rate', () => {
    fc.assert(
      fc.property(warmed, ([stage, steps]) => {
        const { learningRate, warmupSteps } = stage;
        for (const [i, rate] of rates(stage, steps).slice(0, warmupSteps).entries()) {
          assert.ok(Math.abs(rate / ((learningRate * (i + 1)) / warmupSteps) - 1) < rounding, `step ${i}: ${rate}`);
        }
      }),
    );
  });

  it('hands over without a jump: its last step has the rate with which the curve begins', () => {
    fc.assert(
      fc.property(warmed, ([stage, more]) => {
        const [last = 0, next = 0] = rates(stage, stage.warmupSteps + more).slice(stage.warmupSteps - 1);
        assert.ok(Math.abs(last / next - 1) < rounding, `${last}, then ${next}`);
      }),
    );
  });

  it('stands before no curve that would fall back from it', () => {
    assert.deepEqual(laws.map(({ curve }) => curve).filter(warmsUpItself), ['oneCycle', 'slantedTriangular']);
  });

  it('leaves the curve the rest of the stage, as if that were a stage of its own', () => {
    fc.assert(
      fc.property(warmed, ([stage, more]) => {
        const rest = rates(stage, stage.warmupSteps + more).slice(stage.warmupSteps);
        assert.deepEqual(rest, rates({ ...stage, warmupSteps: 0 }, more));
      }),
    );
  });
});

describe('the rates of a stage', () => {
  it('are the same whether its length is given in epochs or in steps', () => {
    const epochsOf = fc.record({ epochs: fc.integer({ min: 1, max: 20 }), perEpoch: fc.integer({ min: 1, max: 20 }) });
    fc.assert(
      fc.property(stages, epochsOf, (stage, { epochs, perEpoch }) => {
        const inEpochs = stageStepsMax({ length: { kind: 'epochs', epochs } }, perEpoch);
        const inSteps = stageStepsMax({ length: { kind: 'steps', steps: epochs * perEpoch } }, perEpoch);
        assert.deepEqual(rates(stage, inEpochs), rates(stage, inSteps));
      }),
    );
  });

  it('are proportional to its learning rate', () => {
    const powers = fc.integer({ min: -20, max: 20 }).map((n) => 2 ** n);
    fc.assert(
      fc.property(stages, lengths, powers, (stage, steps, factor) => {
        const scaled = rates({ ...stage, learningRate: stage.learningRate * factor }, steps);
        assert.deepEqual(
          scaled,
          rates(stage, steps).map((rate) => rate * factor),
        );
      }),
    );
  });
});

test('known points of the curves', () => {
  const at = (curve: Curve, stepInStage: number): number =>
    learningRateAt({ stage: { learningRate: 1, warmupSteps: 0, curve }, stepInStage, stageSteps: 100 });
  assert.equal(at('linear', 50), 0.5);
  assert.ok(Math.abs(at('cosine', 50) - 0.5) < rounding);
  assert.ok(Math.abs(at('oneCycle', 0) - 0.04) < rounding);
  assert.ok(Math.abs(at('oneCycle', 30) - 1) < rounding);
  assert.equal(at('slantedTriangular', 0), 1 / 32);
  assert.equal(at('slantedTriangular', 10), 1);
});
