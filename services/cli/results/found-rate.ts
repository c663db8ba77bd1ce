// What a learning-rate range test found: the suggestion, a table, and the curve in plain characters, 80 columns wide at
// most; or all of it as JSON.

import type { RangePoint, RateRange } from '@thaw/common/schedule/range-test.ts';
import { shortText } from '@thaw/common/text/number-text.ts';
import { plainText } from '../view/display-width.ts';
import { lossText } from '../view/number-text.ts';
import { defaultColumns } from './text-columns.ts';

export interface FoundRate {
  readonly name: string;
  readonly stage: string;
  readonly optimizer: string;
  readonly engine: string;
  /** Samples of a step. */
  readonly batch: number;
  /** What the job says. */
  readonly learningRate: number;
  readonly range: RateRange;
  readonly points: readonly RangePoint[];
  readonly ended: 'range' | 'diverged' | 'notFinite';
  readonly suggestion: number | null;
}

const tableRows = 12;
const chartRows = 12;
/** Of a loss and the axis before the chart. */
const axisWidth = 9;

/** Rounded as a person would write it into the job file: two digits. */
function roundedRate(rate: number): number {
  return Number(rate.toPrecision(2));
}

export function foundRateJson({ points, suggestion, ...found }: FoundRate): string {
  const rounded = suggestion === null ? null : roundedRate(suggestion);
  return `${JSON.stringify({ ...found, suggestion: rounded, points }, null, 2)}\n`;
}

export function foundRateText(found: FoundRate): string {
  const { name, stage, optimizer, engine, batch, range, points } = found;
  const lines = [
    `${plainText(name)}  stage "${stage}", ${optimizer} on ${engine}, ${points.length} of ${range.steps} steps of ${batch} samples`,
    '',
    ...table(points),
    '',
    ...chart(found),
    '',
    endText(found),
    suggestionText(found),
  ];
  return `${lines.join('\n')}\n`;
}

function table(points: readonly RangePoint[]): string[] {
  const rows = Math.min(tableRows, points.length);
  const shown = Array.from(
    { length: rows },
    (_, row) => points[Math.round((row * (points.length - 1)) / Math.max(1, rows - 1))] as RangePoint,
  );
  return [
    'learning rate    loss  smoothed',
    ...shown.map(
      ({ learningRate, loss, smoothedLoss }) =>
        `${shortText(learningRate).padStart(13)}  ${lossText(loss)}    ${lossText(smoothedLoss)}`,
    ),
  ];
}

/** Smoothed losses over the logarithm of the rate, one column for each part of the range; `^` marks the suggestion. */
function chart({ points, range, suggestion }: FoundRate): string[] {
  const width = defaultColumns - axisWidth;
  const columnOf = (rate: number): number =>
    Math.min(width - 1, Math.floor((Math.log(rate / range.from) / Math.log(range.to / range.from)) * width));
  const losses = points.map(({ smoothedLoss }) => smoothedLoss);
  const [least, most] = [Math.min(...losses), Math.max(...losses)];
  const rowOf = (loss: number): number =>
    most > least ? Math.round(((most - loss) / (most - least)) * (chartRows - 1)) : chartRows - 1;
  const cells = Array.from({ length: chartRows }, () => new Array<string>(width).fill(' '));
  for (const { learningRate, smoothedLoss } of points) {
    (cells[rowOf(smoothedLoss)] as string[])[columnOf(learningRate)] = '*';
  }
  const lossAt = (row: number): string =>
    lossText(most - ((most - least) * row) / (chartRows - 1)).padStart(axisWidth - 2);
  const labelled = (row: number): boolean => row === 0 || row === chartRows - 1;
  const axis = new Array<string>(width).fill('-');
  if (suggestion !== null) axis[columnOf(suggestion)] = '^';
  const [from, to] = [shortText(range.from), shortText(range.to)];
  return [
    ...cells.map((row, i) => `${labelled(i) ? lossAt(i) : ' '.repeat(axisWidth - 2)} |${row.join('')}`.trimEnd()),
    `${' '.repeat(axisWidth - 1)}+${axis.join('')}`,
    `${' '.repeat(axisWidth)}${from}${to.padStart(width - from.length)}`,
  ];
}

function endText({ ended, points, range }: FoundRate): string {
  const at = shortText(points.at(-1)?.learningRate ?? range.from);
  switch (ended) {
    case 'diverged':
      return `Stopped at ${at}: the smoothed loss is more than 4 times its least.`;
    case 'notFinite':
      return `Stopped after ${at}: a loss, gradient or weight was no number any more.`;
    case 'range':
      return `All ${range.steps} steps were taken without divergence.`;
  }
}

function suggestionText({ suggestion, learningRate }: FoundRate): string {
  const now = `the job says ${shortText(learningRate)}`;
  if (suggestion === null) return `No suggestion: the loss falls nowhere in this range; ${now}.`;
  return `Suggestion: learningRate ${shortText(roundedRate(suggestion))}, where the loss falls fastest; ${now}.`;
}
