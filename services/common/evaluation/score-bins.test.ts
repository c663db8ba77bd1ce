import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { macroAuc, scoreBin, scoreBins } from './score-bins.ts';
import { sparseOf } from './sparse-counts.ts';

const probability = fc.float({ min: 0, max: 1, noNaN: true });

describe('a bin', () => {
  it('never falls with the probability', () => {
    fc.assert(
      fc.property(probability, probability, (a, b) => {
        const [low, high] = a < b ? [a, b] : [b, a];
        assert.ok(scoreBin(low) <= scoreBin(high));
      }),
    );
  });

  it('is one of 256, and mirrored by the probability of the opposite', () => {
    fc.assert(
      fc.property(probability, (p) => {
        const bin = scoreBin(p);
        assert.ok(Number.isInteger(bin) && bin >= 0 && bin < scoreBins);
        const opposite = 1 - p;
        if (p !== 0.5 && Math.fround(opposite) === opposite) assert.equal(scoreBin(opposite), scoreBins - 1 - bin);
      }),
    );
  });

  const cases: readonly (readonly [number, number])[] = [
    [0, 0],
    [2 ** -17, 0],
    [2 ** -17 * 1.125, 1],
    [0.25, 120],
    [0.25 * 1.125, 121],
    [0.499, 127],
    [0.5, 128],
    [0.75, 135],
    [1, 255],
    [1.0000001, 255],
  ];
  for (const [p, bin] of cases) it(`of ${p} is ${bin}`, () => assert.equal(scoreBin(p), bin));
});

interface Sample {
  readonly truth: number;
  readonly scores: readonly number[];
}

const classes = 3;

function histograms(samples: readonly Sample[]) {
  const [own, others] = [0, 1].map(() => new Array<number>(classes * scoreBins).fill(0)) as [number[], number[]];
  for (const { truth, scores } of samples) {
    for (const [index, score] of scores.entries()) {
      const cell = index * scoreBins + scoreBin(score);
      const into = index === truth ? own : others;
      into[cell] = (into[cell] ?? 0) + 1;
    }
  }
  return { positives: sparseOf(own), negatives: sparseOf(others) };
}

/** Every pair of a sample of the class and one that is not. */
function pairwise(samples: readonly Sample[], index: number): number | null {
  const scoresOf = (isOwn: boolean) =>
    samples.filter(({ truth }) => (truth === index) === isOwn).map(({ scores }) => scoreBin(scores[index] as number));
  const [own, others] = [scoresOf(true), scoresOf(false)];
  if (own.length === 0 || others.length === 0) return null;
  const wins = own.flatMap((a) => others.map((b): number => (a > b ? 1 : a === b ? 0.5 : 0)));
  return wins.reduce((sum, win) => sum + win, 0) / wins.length;
}

describe('the area under the curve', () => {
  it('is the share of pairs in the right order, mean over the classes that have pairs', () => {
    const score = fc.constantFrom(0, 0.1, 0.25, 0.5, 0.9, 1);
    const sample = fc.record({ truth: fc.nat(classes - 1), scores: fc.array(score, { minLength: 3, maxLength: 3 }) });
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 20 }), (samples) => {
        const areas = [0, 1, 2].flatMap((index) => pairwise(samples, index) ?? []);
        const expected = areas.length === 0 ? 0.5 : areas.reduce((sum, area) => sum + area, 0) / areas.length;
        assert.ok(Math.abs(macroAuc(histograms(samples), classes) - expected) < 1e-12);
      }),
    );
  });

  it('of a confident model is not blurred by the bins: 0.9999 stands above 0.9998', () => {
    const samples = [0.9999, 0.9998].map((p, truth) => ({ truth, scores: [p, 1 - p, 0] }));
    assert.equal(pairwise(samples, 0), 1);
    assert.equal(macroAuc(histograms(samples), classes), 1);
  });
});
