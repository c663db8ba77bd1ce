// Which probabilities each class has been given, over all samples that this member evaluates: the score histograms from
// which the coordinator takes the area under the ROC curve. Counts alone, so that any split of the samples adds up to the
// same.

import { scoreBin, scoreBins } from '@thaw/common/evaluation/score-bins.ts';
import { sparseOf } from '@thaw/common/evaluation/sparse-counts.ts';
import type { SparseCounts__Output } from '@thaw/proto/gen/thaw/v1/SparseCounts.ts';

export interface ScoreTally {
  /** `probabilities`: [classes]. */
  add(probabilities: Float32Array, truth: number): void;
  readonly positives: SparseCounts__Output;
  readonly negatives: SparseCounts__Output;
}

export function scoreTally(classes: number): ScoreTally {
  const positives = new Uint32Array(classes * scoreBins);
  const negatives = new Uint32Array(classes * scoreBins);
  const count = (into: Uint32Array, index: number, probability: number): void => {
    const cell = index * scoreBins + scoreBin(probability);
    into[cell] = (into[cell] as number) + 1;
  };
  return {
    add(probabilities, truth) {
      for (let index = 0; index < classes; index++) {
        count(index === truth ? positives : negatives, index, probabilities[index] as number);
      }
    },
    get positives() {
      return sparseOf(positives);
    },
    get negatives() {
      return sparseOf(negatives);
    },
  };
}
