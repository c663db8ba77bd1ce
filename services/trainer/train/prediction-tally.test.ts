import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Mistake__Output } from '@thaw/proto/gen/thaw/v1/Mistake.ts';
import fc from 'fast-check';
import { predictionTally } from './prediction-tally.ts';

/** Few probabilities, so that ties come often; the ends of tenths among them. */
const probability = fc.constantFrom(0, 0.05, 0.1, 0.5, Math.fround(0.7), 0.95, 1);
const predictions = fc
  .array(fc.record({ truth: fc.nat(2), prediction: fc.nat(2), probability }), { maxLength: 40 })
  .map((all) => all.map((one, sample) => ({ sample, ...one })));

function tallied(all: readonly Mistake__Output[]) {
  const tally = predictionTally();
  for (const one of all) tally.add(one);
  return tally.figures;
}

test('counts by tenths and names the eight surest mistakes, in whatever order the samples come', () => {
  fc.assert(
    fc.property(predictions, fc.nat(), (all, cut) => {
      const figures = tallied(all);
      const cells = Array.from({ length: 10 }, (_, cell) =>
        all.filter(({ probability: p }) => (p >= cell / 10 && p < (cell + 1) / 10) || (cell === 9 && p === 1)),
      );
      assert.deepEqual(figures.confidenceCounts, cells.map(({ length }) => length)); // biome-ignore format: short
      assert.deepEqual(
        figures.confidenceCorrect,
        cells.map((of) => of.filter(({ truth, prediction }) => truth === prediction).length),
      );
      assert.deepEqual(
        figures.confidenceSums,
        cells.map((of) => of.reduce((sum, { probability: p }) => sum + Math.round(p * 2 ** 24), 0)),
      );
      const wrong = all.filter(({ truth, prediction }) => truth !== prediction);
      wrong.sort((a, b) => b.probability - a.probability || a.sample - b.sample);
      assert.deepEqual(figures.worstMistakes, wrong.slice(0, 8));
      const at = cut % (all.length + 1);
      assert.deepEqual(tallied([...all.slice(at), ...all.slice(0, at)].reverse()), figures);
    }),
  );
});

test('refuses a probability that is none', () => {
  const one = { sample: 3, truth: 0, prediction: 0, probability: Number.NaN };
  assert.throws(() => tallied([one]), { name: 'ThawError(NonFinite)', message: /test sample 3 is NaN/ });
});
