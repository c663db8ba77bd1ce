// Sums of an evaluation: set by part, added once, in integers, so that the figures are the same whoever computed which
// part. Loss sums are fixed point in units of 2^-24. Confusion and scores are sparse: what does not occur takes no room.

import { invariant } from '@thaw/common/errors/thaw-error.ts';
import { macroAuc, type ScoreHistograms, scoreBins } from '@thaw/common/evaluation/score-bins.ts';
import { addSparse, type SparseCounts, sparseProblem, totalOf } from '@thaw/common/evaluation/sparse-counts.ts';
import { fixedPointScale } from '@thaw/proto/frames/announcement.ts';
import type { Evaluated__Output } from '@thaw/proto/gen/thaw/v1/Evaluated.ts';
import type { ClassMetrics, Metrics } from './state.ts';

/** Among how few classes the right one is nearly always one of five, so that saying so says nothing. */
const topFiveClassesMin = 6;

const nothing: SparseCounts = { cells: [], counts: [] };

export interface EvaluationSums {
  readonly lossSum: number;
  readonly count: number;
  readonly badSamples: number;
  /** Samples whose class is among the five most probable ones. */
  readonly topFive: number;
  /** At each of the directive's temperatures. */
  readonly temperedLossSums: readonly number[];
  /** Cell = truth * classes + prediction. */
  readonly confusion: SparseCounts;
  readonly scores: ScoreHistograms;
}

interface Asked {
  readonly member: number;
  readonly partOwners: readonly number[];
  readonly classes: number;
  readonly temperatures: readonly number[];
}

/** What is wrong with what a member reported, in words; null when it is of just its own parts. */
export function evaluatedProblem(
  evaluated: Evaluated__Output,
  { member, partOwners, classes, temperatures }: Asked,
): string | null {
  const { parts } = evaluated;
  const wanted = partOwners.filter((owner) => owner === member).length;
  const found = new Set(parts.map(({ part }) => part));
  if (parts.length !== wanted || found.size !== wanted) {
    return `reported ${parts.length} parts (${found.size} different ones); expected ${wanted}`;
  }
  for (const { part, confusion, count, topFive, temperedLossSums } of parts) {
    if (partOwners[part] !== member) return `reported part ${part}, which belongs to member ${partOwners[part]}`;
    const problem = sparseProblem(confusion ?? nothing, classes * classes);
    if (problem) return `reported part ${part}, whose confusion has ${problem}`;
    const counted = totalOf(confusion ?? nothing);
    if (counted !== count) return `reported part ${part} with ${counted} samples in its confusion; expected ${count}`;
    if (temperedLossSums.length !== temperatures.length) {
      return `reported part ${part} at ${temperedLossSums.length} temperatures; expected ${temperatures.length}`;
    }
    if (topFive > count) return `reported part ${part} with ${topFive} of ${count} samples among the first five`;
  }
  return scoresProblem(evaluated, classes);
}

/** Each sample has one score as its own class and one as each other class. */
function scoresProblem({ parts, positiveScores, negativeScores }: Evaluated__Output, classes: number): string | null {
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  const columns = [
    ['positive', positiveScores ?? nothing, count],
    ['negative', negativeScores ?? nothing, count * (classes - 1)],
  ] as const;
  for (const [name, scores, expected] of columns) {
    const problem = sparseProblem(scores, classes * scoreBins);
    if (problem) return `reported ${name} scores with ${problem}`;
    const total = totalOf(scores);
    if (total !== expected) return `reported ${total} ${name} scores; expected ${expected}`;
  }
  return null;
}

/** `all`: every member's, as evaluatedProblem has checked. */
export function sumEvaluated(all: readonly Evaluated__Output[]): EvaluationSums {
  const parts = all.flatMap((one) => one.parts);
  const sum = (of: (part: (typeof parts)[number]) => number): number =>
    parts.reduce((total, part) => total + of(part), 0);
  const lossSum = sum((part) => part.lossSum);
  const temperedLossSums = (parts[0]?.temperedLossSums ?? []).map((_, i) =>
    sum((part) => part.temperedLossSums[i] as number),
  );
  for (const exact of [lossSum, ...temperedLossSums]) {
    invariant(Number.isSafeInteger(exact), `the loss sum ${exact} is beyond exact integers`);
  }
  return {
    lossSum,
    temperedLossSums,
    count: sum((part) => part.count),
    badSamples: sum((part) => part.badSamples),
    topFive: sum((part) => part.topFive),
    confusion: addSparse(parts.map(({ confusion }) => confusion ?? nothing)),
    scores: {
      positives: addSparse(all.map(({ positiveScores }) => positiveScores ?? nothing)),
      negatives: addSparse(all.map(({ negativeScores }) => negativeScores ?? nothing)),
    },
  };
}

export function metricsOf(sums: EvaluationSums, classes: number): Metrics {
  const { lossSum, count, topFive, confusion, scores } = sums;
  const perClass = perClassMetrics(confusion, classes);
  const present = perClass.filter(({ support, predicted }) => support + predicted > 0);
  const correct = confusion.counts.reduce(
    (sum, samples, i) => (isHit(confusion.cells[i] as number, classes) ? sum + samples : sum),
    0,
  );
  const top5 = classes >= topFiveClassesMin ? { top5: ratio(topFive, count) } : {};
  return {
    loss: ratio(lossSum / fixedPointScale, count),
    accuracy: ratio(correct, count),
    macroF1: ratio(
      present.reduce((sum, { f1 }) => sum + f1, 0),
      present.length,
    ),
    auc: macroAuc(scores, classes),
    ...top5,
    count,
  };
}

function isHit(cell: number, classes: number): boolean {
  return Math.floor(cell / classes) === cell % classes;
}

/** Ratios without a denominator are 0. Macro-F1 leaves out classes that neither occur nor are predicted. */
export function perClassMetrics(
  { cells, counts }: SparseCounts,
  classes: number,
): readonly (ClassMetrics & { readonly predicted: number })[] {
  const zeros = (): number[] => new Array<number>(classes).fill(0);
  const [predicted, support, right] = [zeros(), zeros(), zeros()];
  for (const [i, cell] of cells.entries()) {
    const [truth, guess, samples] = [Math.floor(cell / classes), cell % classes, counts[i] as number];
    support[truth] = (support[truth] as number) + samples;
    predicted[guess] = (predicted[guess] as number) + samples;
    if (truth === guess) right[truth] = samples;
  }
  return support.map((total, i) => {
    const hits = right[i] as number;
    const guesses = predicted[i] as number;
    return {
      precision: ratio(hits, guesses),
      recall: ratio(hits, total),
      f1: ratio(2 * hits, guesses + total),
      support: total,
      predicted: guesses,
    };
  });
}

function ratio(numerator: number, denominator: number): number {
  return denominator === 0 ? 0 : numerator / denominator;
}
