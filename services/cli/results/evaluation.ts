// The figures of `thaw evaluate`, as a report's test section has them, and as text. Metrics are the coordinator's own,
// from the same integer sums.

import { type Confusion, confusionOf } from '@thaw/common/evaluation/confused-pairs.ts';
import { metricsOf, perClassMetrics, sumEvaluated } from '@thaw/coordinator/core/evaluation.ts';
import type { Metrics } from '@thaw/coordinator/core/state.ts';
import type { Evaluated__Output } from '@thaw/proto/gen/thaw/v1/Evaluated.ts';
import { padToWidth, plainText } from '../view/display-width.ts';
import { percentText } from '../view/number-text.ts';
import { confusionText } from './confusion-text.ts';
import { elideEnd, widest } from './text-columns.ts';

export interface BadSample {
  readonly id: string;
  readonly reason: string;
}

export interface Evaluation extends Metrics, Confusion {
  readonly perClass: readonly ClassFigures[];
  readonly classes: readonly string[];
  readonly badSamples: readonly BadSample[];
}

type ClassFigures = ReturnType<typeof perClassMetrics>[number] & { readonly class: string };

const classWidthMax = 32;

export function evaluationOf(
  evaluated: Evaluated__Output,
  classes: readonly string[],
  badSamples: readonly BadSample[],
): Evaluation {
  const size = classes.length;
  const sums = sumEvaluated([evaluated]);
  return {
    ...metricsOf(sums, size),
    perClass: perClassMetrics(sums.confusion, size).map((figures, i) => ({ class: classes[i] as string, ...figures })),
    ...confusionOf(sums.confusion, classes),
    classes,
    badSamples,
  };
}

export function evaluationText(evaluation: Evaluation): string {
  const { loss, accuracy, macroF1, auc, top5, count, badSamples } = evaluation;
  const unreadable = badSamples.length > 0 ? `, ${badSamples.length} unreadable left out` : '';
  return [
    `samples   ${count}${unreadable}`,
    `loss      ${loss.toFixed(4)}`,
    `accuracy  ${percentText(accuracy).trim()}`,
    `macro-F1  ${macroF1.toFixed(4)}`,
    `AUC       ${auc.toFixed(4)}`,
    ...(top5 === undefined ? [] : [`top 5     ${percentText(top5).trim()}`]),
    '',
    ...classTable(evaluation.perClass),
    '',
    ...confusionText(evaluation),
    '',
  ].join('\n');
}

function classTable(perClass: readonly ClassFigures[]): string[] {
  const names = perClass.map((figures) => elideEnd(plainText(figures.class), classWidthMax));
  const width = Math.max('class'.length, widest(names));
  const row = (name: string, cells: readonly string[]): string =>
    [padToWidth(name, width), ...cells.map((cell) => cell.padStart(9))].join('  ');
  return [
    row('class', ['precision', 'recall', 'F1', 'samples']),
    ...perClass.map(({ precision, recall, f1, support }, i) =>
      row(names[i] as string, [percentText(precision), percentText(recall), f1.toFixed(3), String(support)]),
    ),
  ];
}
