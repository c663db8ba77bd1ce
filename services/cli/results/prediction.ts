// What a model says about one file, as people and programs read it.

import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { padToWidth, plainText } from '../view/display-width.ts';
import { percentText } from '../view/number-text.ts';
import { elideEnd, elideStart, widest } from './text-columns.ts';

export interface RankedLabel {
  readonly label: string;
  readonly probability: number;
}

export interface FilePrediction {
  readonly name: string;
  /** Most probable first; of equal ones the first class. */
  readonly ranked: readonly RankedLabel[];
}

const fileWidthMin = 20;
const labelWidthMin = 8;
const percentWidth = '100.0 %'.length;
const gap = '  ';

/** Throws NonFinite. */
export function rank(name: string, labels: readonly string[], probabilities: Float32Array): FilePrediction {
  const all = labels.map((label, i) => ({ label, probability: probabilities[i] as number }));
  const wrong = all.find(({ probability }) => !Number.isFinite(probability));
  if (!wrong) return { name, ranked: all.sort((a, b) => b.probability - a.probability) };
  throw new ThawError('NonFinite', `${name}: the probability of "${wrong.label}" is ${wrong.probability}`);
}

/** One JSON object on one line. */
export function predictionJson({ name, ranked }: FilePrediction, labels: readonly string[]): string {
  const by = new Map(ranked.map(({ label, probability }) => [label, probability]));
  const probabilities = Object.fromEntries(labels.map((label) => [label, by.get(label)]));
  return `${JSON.stringify({ file: name, ...ranked[0], probabilities })}\n`;
}

/** A line a file: its name, then the `top` labels, each with its probability. Fits `columns` while labels can be read. */
export function predictionTable(
  predictions: readonly FilePrediction[],
  { top, columns }: { readonly top: number; readonly columns: number },
): string {
  const shown = predictions.map(({ name, ranked }) => ({ name: plainText(name), ranked: ranked.slice(0, top) }));
  const pairs = shown[0]?.ranked.length ?? 0;
  const names = ['file', ...shown.map(({ name }) => name)];
  const labels = ['label', ...shown.flatMap(({ ranked }) => ranked.map(({ label }) => plainText(label)))];
  const around = pairs * (2 * gap.length + percentWidth);
  const forLabels = columns - Math.min(widest(names), fileWidthMin) - around;
  const labelWidth = Math.min(widest(labels), Math.max(labelWidthMin, Math.floor(forLabels / Math.max(1, pairs))));
  const nameWidth = Math.min(widest(names), Math.max(fileWidthMin, columns - around - pairs * labelWidth));
  const line = (name: string, cells: readonly (readonly [string, string])[]): string =>
    [
      padToWidth(elideStart(name, nameWidth), nameWidth),
      ...cells.flatMap(([label, value]) => [
        padToWidth(elideEnd(label, labelWidth), labelWidth),
        value.padStart(percentWidth),
      ]),
    ]
      .join(gap)
      .trimEnd();
  const header = Array.from(
    { length: pairs },
    (_, i) => (i === 0 ? ['label', 'prob.'] : ['next', '']) as [string, string],
  );
  return [
    line('file', header),
    ...shown.map(({ name, ranked }) =>
      line(
        name,
        ranked.map(({ label, probability }) => [plainText(label), percentText(probability)] as const),
      ),
    ),
    '',
  ].join('\n');
}
