import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fixedPointScale } from '@thaw/proto/frames/announcement.ts';
import fc from 'fast-check';
import { aPlan, aStage, Play, someEvaluated } from '../testing/builders.ts';
import { figuresProblem, mistakesShownMax, testFigures } from './test-figures.ts';

const zeros: readonly number[] = new Array<number>(10).fill(0);
const inCell = (cell: number, value: number): number[] => zeros.map((zero, i) => (i === cell ? value : zero));

function aPart(first: number, probabilities: readonly number[]) {
  return {
    count: 10,
    confidenceCounts: inCell(9, 10),
    confidenceCorrect: inCell(9, 10 - probabilities.length),
    confidenceSums: inCell(9, 9.5 * fixedPointScale),
    temperedConfidenceCounts: [] as number[],
    temperedConfidenceCorrect: [] as number[],
    temperedConfidenceSums: [] as number[],
    worstMistakes: probabilities.map((probability, i) => ({ sample: first + i, truth: 0, prediction: 1, probability })),
  };
}

/** The same samples, each of them less sure. */
function tempered(part: ReturnType<typeof aPart>): ReturnType<typeof aPart> {
  return {
    ...part,
    temperedConfidenceCounts: inCell(5, 10),
    temperedConfidenceCorrect: inCell(5, part.confidenceCorrect[9] as number),
    temperedConfidenceSums: inCell(5, 5.5 * fixedPointScale),
  };
}

it('sums the confidences and puts the mistakes in one order, however the parts come', () => {
  const probability = fc.constantFrom(0.5, 0.75, 1);
  fc.assert(
    fc.property(fc.array(fc.array(probability, { maxLength: 8 }), { minLength: 1, maxLength: 9 }), (all) => {
      const parts = all.map((probabilities, i) => aPart(100 * i, probabilities));
      const { calibration, temperedCalibration, worstMistakes } = testFigures(parts.map(tempered));
      assert.deepEqual(testFigures(parts.map(tempered).reverse()), { calibration, temperedCalibration, worstMistakes });
      assert.deepEqual(temperedCalibration[5], { ...calibration[9], confidence: 0.55 });
      assert.deepEqual(testFigures(parts).temperedCalibration, []);
      const wrong = all.flat().length;
      assert.equal(worstMistakes.length, Math.min(wrong, mistakesShownMax));
      assert.ok(
        worstMistakes.every((one, i) => {
          const next = worstMistakes[i + 1];
          return (
            !next ||
            one.probability > next.probability ||
            (one.probability === next.probability && one.sample < next.sample)
          );
        }),
      );
      const count = 10 * parts.length;
      assert.deepEqual(calibration[9], { count, correct: count - wrong, confidence: 0.95 });
      assert.deepEqual(calibration[0], { count: 0, correct: 0, confidence: 0 });
    }),
  );
});

it('shows no calibration when some part came without', () => {
  const without = { ...aPart(0, []), confidenceCounts: [], confidenceCorrect: [], confidenceSums: [] };
  assert.deepEqual(testFigures([aPart(0, [1]), without]).calibration, []);
});

describe('what a part may not say', () => {
  const part = aPart(0, [0.9]);
  const mistake = { sample: 0, truth: 0, prediction: 1, probability: 0.9 };
  const cases: readonly (readonly [string, Partial<typeof part>, RegExp | null])[] = [
    ['nothing wrong', {}, null],
    ['nothing at all', { confidenceCounts: [], confidenceCorrect: [], confidenceSums: [], worstMistakes: [] }, null],
    ['nine cells', { confidenceCorrect: zeros.slice(1) }, /cells; expected 10/],
    ['other counts at the temperature', { ...tempered(part), temperedConfidenceCounts: inCell(5, 9) }, /has 9 confid/],
    ['other counts', { confidenceCounts: inCell(9, 9) }, /has 9 confidences; expected 10/],
    ['more right than there are', { confidenceCorrect: inCell(8, 1) }, /more right/],
    ['nine mistakes', { worstMistakes: new Array(9).fill(mistake) }, /names 9 mistakes; expected at most 8/],
    ['a sample beyond the set', { worstMistakes: [{ ...mistake, sample: 20 }] }, /can be none: .*"sample":20/],
    ['a class beyond the job', { worstMistakes: [{ ...mistake, truth: 2 }] }, /can be none/],
    ['a mistake that is right', { worstMistakes: [{ ...mistake, truth: 1 }] }, /can be none/],
    ['a probability of NaN', { worstMistakes: [{ ...mistake, probability: Number.NaN }] }, /can be none/],
  ];
  for (const [name, changes, said] of cases) {
    it(name, () => {
      const problem = figuresProblem({ ...part, ...changes }, { classes: 2, samples: 20 });
      if (said === null) assert.equal(problem, null);
      else assert.match(problem ?? 'no problem', said);
    });
  }

  it('stops the job and names the trainer', () => {
    const play = new Play(aPlan({ replicas: 1, stages: [aStage({ steps: 4 })] })).gather(1).answer();
    const { state } = play;
    const [[from, report] = assert.fail('no report')] = play.reports();
    const evaluated = someEvaluated([0, 0, 0], 0, 5);
    const parts = evaluated.parts.map((one) => ({ ...one, worstMistakes: [{ ...mistake, sample: 20 }] }));
    play.tell({
      kind: 'report',
      from,
      report: { ...report, revision: state.directive?.revision ?? 0, evaluated: { ...evaluated, parts } },
    });
    assert.equal(play.state.failure?.code, 'ProtocolViolation');
    assert.match(play.state.failure?.message ?? '', /^trainer-0 reported part 0, which names a mistake/);
  });
});

it('is left by the test for the report, and changes no metric', () => {
  const stages = [aStage({ steps: 4 })];
  const tested = (figures: boolean) => {
    const play = new Play(aPlan({ replicas: 1, stages })).gather(1);
    while (play.kind() !== 'evaluate' || play.work('evaluate').split !== 'test') play.answer([5]);
    const [[from, report] = assert.fail('no report')] = play.reports([5]);
    const parts = (report.evaluated?.parts ?? []).map((one) =>
      figures ? { ...one, ...aPart(one.part, [0.9, 0.8]), count: one.count } : one,
    );
    play.tell({ kind: 'report', from, report: { ...report, evaluated: { ...someEvaluated([0, 0, 0], 0, 5), parts } } });
    return play.state;
  };
  const [withFigures, without] = [tested(true), tested(false)];
  assert.deepEqual(withFigures.test, without.test);
  assert.deepEqual(without.pending.testFigures, { calibration: [], temperedCalibration: [], worstMistakes: [] });
  assert.equal(withFigures.pending.testFigures?.calibration[9]?.count, 30);
  assert.deepEqual(
    withFigures.pending.testFigures?.worstMistakes.map(({ sample }) => sample),
    [0, 1, 2, 1, 2, 3],
  );
});
