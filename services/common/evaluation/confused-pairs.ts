// A confusion matrix as people read it: whole while there are few classes, and as the pairs that were taken for each
// other, of which there are never more than mistakes.

import { matrixOf, type SparseCounts } from './sparse-counts.ts';

export interface ConfusedPair {
  /** Class names. */
  readonly truth: string;
  readonly prediction: string;
  readonly count: number;
  /** Of the samples of that truth. */
  readonly share: number;
}

export interface Confusion {
  /** Rows are the truth, columns the prediction, in the order of the classes; empty above matrixClassesMax classes. */
  readonly confusion: readonly (readonly number[])[];
  /** Most frequent first, then in the order of the classes; at most confusedPairsMax. */
  readonly confusedPairs: readonly ConfusedPair[];
}

/** Beyond, a matrix is mostly zeros, and at 10,000 classes it is a gigabyte of them. */
export const matrixClassesMax = 200;
export const confusedPairsMax = 20_000;

/** `counts`: cell = truth * classes + prediction. */
export function confusionOf(counts: SparseCounts, classes: readonly string[]): Confusion {
  const size = classes.length;
  const totals = new Array<number>(size).fill(0);
  for (const [i, cell] of counts.cells.entries()) {
    const truth = Math.floor(cell / size);
    totals[truth] = (totals[truth] as number) + (counts.counts[i] as number);
  }
  const pairs = counts.cells.flatMap((cell, i): ConfusedPair[] => {
    const [truth, prediction, count] = [Math.floor(cell / size), cell % size, counts.counts[i] as number];
    if (truth === prediction) return [];
    const [from, to] = [classes[truth] as string, classes[prediction] as string];
    return [{ truth: from, prediction: to, count, share: count / (totals[truth] as number) }];
  });
  return {
    confusion: size <= matrixClassesMax ? matrixOf(counts, size) : [],
    confusedPairs: pairs.sort((a, b) => b.count - a.count).slice(0, confusedPairsMax),
  };
}
