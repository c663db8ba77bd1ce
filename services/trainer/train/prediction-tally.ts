// How sure the test set's predictions are, and the surest of those that are wrong, for the report. Beside the sums that
// decide: nothing here changes a loss, a metric or a digest. In integers and in a fixed order, so that a part's tally is
// the same whoever computes it.

import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import {
  confidenceCells,
  mistakesInPartMax,
  type PredictionFigures,
} from '@thaw/common/evaluation/prediction-figures.ts';
import { fixedPointScale } from '@thaw/proto/frames/announcement.ts';
import type { Mistake__Output } from '@thaw/proto/gen/thaw/v1/Mistake.ts';

export interface PredictionTally {
  /** `tempered`: the probability at the job's temperature, where it has one. Throws NonFinite when one is NaN. */
  add(prediction: Mistake__Output, tempered?: number): void;
  readonly figures: PredictionFigures;
}

/** What is said of a set without a tally. */
export const noFigures: PredictionFigures = {
  confidenceCounts: [],
  confidenceCorrect: [],
  confidenceSums: [],
  temperedConfidenceCounts: [],
  temperedConfidenceCorrect: [],
  temperedConfidenceSums: [],
  worstMistakes: [],
};

export function predictionTally({ isTempered = false } = {}): PredictionTally {
  const plain = confidenceTally();
  const tempered = isTempered ? confidenceTally() : null;
  const worst: Mistake__Output[] = [];
  return {
    add(one, temperedProbability = one.probability) {
      const { truth, prediction, probability, sample } = one;
      const isWrong = truth !== prediction;
      if (Number.isNaN(probability)) throw new ThawError('NonFinite', `the output for test sample ${sample} is NaN`);
      plain.add(probability, !isWrong);
      tempered?.add(temperedProbability, !isWrong);
      if (isWrong) keepWorst(worst, one);
    },
    figures: {
      confidenceCounts: plain.counts,
      confidenceCorrect: plain.correct,
      confidenceSums: plain.sums,
      temperedConfidenceCounts: tempered?.counts ?? [],
      temperedConfidenceCorrect: tempered?.correct ?? [],
      temperedConfidenceSums: tempered?.sums ?? [],
      worstMistakes: worst,
    },
  };
}

/** By tenth of confidence. */
function confidenceTally() {
  const zeros = (): number[] => new Array<number>(confidenceCells).fill(0);
  const [counts, correct, sums] = [zeros(), zeros(), zeros()];
  const add = (probability: number, isRight: boolean): void => {
    const cell = Math.min(confidenceCells - 1, Math.floor(probability * confidenceCells));
    counts[cell] = (counts[cell] as number) + 1;
    sums[cell] = (sums[cell] as number) + Math.round(probability * fixedPointScale);
    if (isRight) correct[cell] = (correct[cell] as number) + 1;
  };
  return { counts, correct, sums, add };
}

/** `worst` is sorted, surest first, then by sample, and stays so. */
function keepWorst(worst: Mistake__Output[], mistake: Mistake__Output): void {
  const at = worst.findIndex((other) => isWorse(mistake, other));
  worst.splice(at < 0 ? worst.length : at, 0, mistake);
  if (worst.length > mistakesInPartMax) worst.pop();
}

function isWorse(one: Mistake__Output, other: Mistake__Output): boolean {
  return one.probability > other.probability || (one.probability === other.probability && one.sample < other.sample);
}
