import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { confusionOf } from '@thaw/common/evaluation/confused-pairs.ts';
import { sparseOf } from '@thaw/common/evaluation/sparse-counts.ts';
import type { EvaluatedPart__Output } from '@thaw/proto/gen/thaw/v1/EvaluatedPart.ts';
import { noFigures } from '@thaw/trainer/train/prediction-tally.ts';
import fc from 'fast-check';
import { displayWidth } from '../view/display-width.ts';
import { confusionText } from './confusion-text.ts';
import { evaluationOf, evaluationText } from './evaluation.ts';

/** Classes by name, and a matrix with `count` of each cell's place. */
function aConfusion(size: number, count: (truth: number, guess: number) => number, name = (i: number) => `class ${i}`) {
  const all = Array.from({ length: size }, (_, i) => i);
  const classes = all.map(name);
  return {
    classes,
    ...confusionOf(sparseOf(all.flatMap((truth) => all.map((guess) => count(truth, guess)))), classes),
  };
}

const noScores = { positiveScores: null, negativeScores: null };

function aPart(part: number, sums: Pick<EvaluatedPart__Output, 'lossSum' | 'count' | 'confusion' | 'badSamples'>) {
  return { part, topFive: 0, temperedLossSums: [], ...noFigures, ...sums };
}

it('adds parts up to the figures of a report', () => {
  const parts = [
    aPart(0, { lossSum: 2 ** 24, count: 2, confusion: sparseOf([1, 1, 0, 0]), badSamples: 0 }),
    aPart(1, { lossSum: 2 ** 25, count: 2, confusion: sparseOf([0, 0, 0, 2]), badSamples: 1 }),
  ];
  const badSamples = [{ id: 'no/3.png', reason: 'torn' }];
  const { perClass, ...figures } = evaluationOf({ parts, ...noScores }, ['no', 'yes'], badSamples);
  assert.deepEqual(figures, {
    loss: 0.75,
    accuracy: 0.75,
    macroF1: (2 / 3 + 4 / 5) / 2,
    auc: 0.5,
    count: 4,
    confusion: [[1, 1], [0, 2]], // biome-ignore format: a matrix
    confusedPairs: [{ truth: 'no', prediction: 'yes', count: 1, share: 0.5 }],
    classes: ['no', 'yes'],
    badSamples,
  });
  assert.deepEqual(perClass[0], { class: 'no', precision: 1, recall: 0.5, f1: 2 / 3, support: 2, predicted: 1 });
  const text = evaluationText({ ...figures, perClass });
  assert.match(
    text,
    /^samples {3}4, 1 unreadable left out\nloss {6}0\.7500\naccuracy {2}75\.0 %\nmacro-F1 {2}0\.7333\nAUC {7}0\.5000\n\n/,
  );
  assert.match(
    text,
    /\nclass +precision +recall +F1 +samples\nno +100\.0 % +50\.0 % +0\.667 +2\nyes +66\.7 % +100\.0 % +0\.800 +2\n/,
  );
});

describe('confusion', () => {
  it('is a matrix with the labels themselves where they are short', () => {
    const digits = aConfusion(2, (truth, guess) => (truth === guess ? 10 : truth), String);
    assert.deepEqual(confusionText(digits).slice(1), ['truth  0  1', '0     10  .', '1      1 10']);
  });

  it('heads the columns with letters where labels are long', () => {
    const lines = confusionText(aConfusion(2, (truth, guess) => 2 * truth + guess));
    assert.deepEqual(lines.slice(1), ['truth       a b', 'a = class 0 . 1', 'b = class 1 2 3']);
  });

  it('is readable at 80 columns for ten classes of any name', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(fc.array(name, { minLength: 10, maxLength: 10 }), fc.nat(9999), (names, count) => {
        const lines = confusionText(
          aConfusion(
            10,
            () => count,
            (i) => names[i] as string,
          ),
        );
        assert.equal(lines.length, 12);
        for (const line of lines) assert.ok(displayWidth(line) <= 80, `${displayWidth(line)}: ${line}`);
      }),
    );
  });

  it('names the most confused pairs from thirteen classes on', () => {
    const many = aConfusion(13, (truth, guess) => (truth === guess ? 90 : truth === 3 && guess === 5 ? 10 : 0));
    assert.deepEqual(confusionText(many).slice(1), ['class 3  class 5      10   10.0 %']);
    const [, first, ...more] = confusionText(aConfusion(13, (truth, guess) => truth + 1 + guess));
    assert.match(first ?? '', /^class 11 {2}class 12 {6}24/);
    assert.equal(more.at(-1), 'and 146 other pairs');
  });

  it('says so when many classes are never confused', () => {
    assert.deepEqual(confusionText(aConfusion(20, (a, b) => (a === b ? 4 : 0))), ['no class was taken for another']);
  });
});
