// Sums of an evaluation: set by part, added once, in integers, so that the figures are the same whoever computed which
// part. Loss sums are fixed point in units of 2^-24.

import { invariant } from '@thaw/common/errors/thaw-error.ts';
import type { EvaluatedPart__Output } from '@thaw/proto/gen/thaw/v1/EvaluatedPart.ts';
import type { ClassMetrics, Metrics } from './state.ts';

export const fixedPointScale = 2 ** 24;

export interface EvaluationSums {
  readonly lossSum: number;
  readonly count: number;
  readonly badSamples: number;
  /** classes x classes, row = truth, column = prediction. */
  readonly confusion: readonly number[];
}

/** What is wrong with the parts that a member reported, in words; null when they are just its own. */
export function partsProblem(
  parts: readonly EvaluatedPart__Output[],
  { member, partOwners, classes }: { member: number; partOwners: readonly number[]; classes: number },
): string | null {
  const wanted = partOwners.filter((owner) => owner === member).length;
  const found = new Set(parts.map(({ part }) => part));
  if (parts.length !== wanted || found.size !== wanted) {
    return `reported ${parts.length} parts (${found.size} different ones); expected ${wanted}`;
  }
  for (const { part, confusion } of parts) {
    if (partOwners[part] !== member) return `reported part ${part}, which belongs to member ${partOwners[part]}`;
    if (confusion.length !== classes * classes) {
      return `part ${part} has ${confusion.length} confusion cells; expected ${classes} x ${classes}`;
    }
  }
  return null;
}

/** `parts`: every part exactly once, as partsProblem has checked. */
export function sumParts(parts: readonly EvaluationSums[], classes: number): EvaluationSums {
  const confusion = new Array<number>(classes * classes).fill(0);
  let lossSum = 0;
  let count = 0;
  let badSamples = 0;
  for (const part of parts) {
    lossSum += part.lossSum;
    count += part.count;
    badSamples += part.badSamples;
    for (const [cell, samples] of part.confusion.entries()) confusion[cell] = (confusion[cell] as number) + samples;
  }
  invariant(Number.isSafeInteger(lossSum), `the loss sum ${lossSum} is beyond exact integers`);
  return { lossSum, count, badSamples, confusion };
}

export function metricsOf({ lossSum, count, confusion }: EvaluationSums, classes: number): Metrics {
  if (count === 0) return { loss: 0, accuracy: 0, macroF1: 0, count };
  let correct = 0;
  for (let i = 0; i < classes; i++) correct += confusion[i * classes + i] as number;
  const present = perClassMetrics(confusion, classes).filter(({ support, predicted }) => support + predicted > 0);
  const macroF1 = present.reduce((sum, { f1 }) => sum + f1, 0) / present.length;
  return { loss: lossSum / fixedPointScale / count, accuracy: correct / count, macroF1, count };
}

/** Ratios without a denominator are 0. Macro-F1 leaves out classes that neither occur nor are predicted. */
export function perClassMetrics(
  confusion: readonly number[],
  classes: number,
): readonly (ClassMetrics & { readonly predicted: number })[] {
  const predicted = new Array<number>(classes).fill(0);
  const support = new Array<number>(classes).fill(0);
  for (const [cell, samples] of confusion.entries()) {
    const truth = Math.floor(cell / classes);
    const guess = cell % classes;
    support[truth] = (support[truth] as number) + samples;
    predicted[guess] = (predicted[guess] as number) + samples;
  }
  return support.map((total, i) => {
    const hits = confusion[i * classes + i] as number;
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
