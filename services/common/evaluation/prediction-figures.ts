// What a part of the test set says of its predictions, beside the sums that decide: how often they are right when they are
// how sure, and the surest that are wrong. The trainer counts it, the coordinator checks it and adds it up.

import type { EvaluatedPart__Output } from '@thaw/proto/gen/thaw/v1/EvaluatedPart.ts';

export type PredictionFigures = Pick<
  EvaluatedPart__Output,
  | 'confidenceCounts'
  | 'confidenceCorrect'
  | 'confidenceSums'
  | 'temperedConfidenceCounts'
  | 'temperedConfidenceCorrect'
  | 'temperedConfidenceSums'
  | 'worstMistakes'
>;

/** Confidences are counted by tenth. */
export const confidenceCells = 10;

/** Mistakes that a part names. */
export const mistakesInPartMax = 8;
