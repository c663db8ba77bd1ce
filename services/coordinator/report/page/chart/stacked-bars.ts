// One horizontal bar a row, each cut into parts: what the time of a stage went into. Rows share one scale.

import { type Insert, type Markup, markup } from '../markup.ts';
import { scaleOf } from './axis.ts';

export interface StackedBars {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly rows: readonly { readonly name: string; readonly values: readonly number[]; readonly total: string }[];
  /** Of the values, in their order; colour i + 1 of chart-style.ts. */
  readonly parts: readonly string[];
  readonly text: (value: number) => string;
}

const chartWidth = 400;
const rowHeight = 44;
const barHeight = 18;
const nameCharactersMax = 44;

export function stackedBars({ id, title, description, rows, parts, text }: StackedBars): Markup {
  const longest = Math.max(...rows.map(({ values }) => sumOf(values)), 0);
  const width = scaleOf([0, longest || 1], [0, chartWidth]);
  return markup`<svg class="chart" viewBox="0 0 ${chartWidth} ${rows.length * rowHeight}" role="img" aria-labelledby="${id}-title ${id}-about">
<title id="${id}-title">${title}</title><desc id="${id}-about">${description}</desc>
${rows.map(({ name, values, total }, row) => [
  markup`<text class="row-name" x="0" y="${row * rowHeight + 15}">${shortened(name)}</text><text class="row-total" x="${chartWidth}" y="${row * rowHeight + 15}" text-anchor="end">${total}</text>`,
  barMarkup(values, row * rowHeight + 21, { name, parts, width, text }),
])}</svg>`;
}

interface Bar extends Pick<StackedBars, 'parts' | 'text'> {
  readonly name: string;
  readonly width: (value: number) => number;
}

function barMarkup(values: readonly number[], top: number, { name, parts, width, text }: Bar): Insert {
  return values.map((value, i) => {
    const left = width(sumOf(values.slice(0, i)));
    if (width(value) < 0.05) return null;
    const size = Math.max(width(value), 0.5).toFixed(2);
    return markup`<rect class="part fill-${i + 1}" x="${left.toFixed(2)}" y="${top}" width="${size}" height="${barHeight}"><title>${name}, ${parts[i] ?? ''}: ${text(value)}</title></rect>`;
  });
}

function shortened(name: string): string {
  return name.length <= nameCharactersMax ? name : `${name.slice(0, nameCharactersMax - 1)}…`;
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
