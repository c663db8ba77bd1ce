// A reliability diagram: for each tenth of confidence how often the model was right, beside how sure it was. On the
// diagonal it is as right as it is sure. Under it, how many samples each tenth has.

import { type Markup, markup } from '../markup.ts';
import { scaleOf } from './axis.ts';

export interface ReliabilityChart {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  /** From 0 to 1, in equal steps. */
  readonly cells: readonly { readonly count: number; readonly correct: number; readonly confidence: number }[];
}

const size = { width: 400, height: 352 } as const;
const plot = { left: 46, right: 380, top: 10, bottom: 236 } as const;
const histogram = { top: 280, bottom: 326 } as const;
const ticks = [0, 0.2, 0.4, 0.6, 0.8, 1] as const;

const x = scaleOf([0, 1], [plot.left, plot.right]);
const y = scaleOf([0, 1], [plot.bottom, plot.top]);

export function reliabilityChart({ id, title, description, cells }: ReliabilityChart): Markup {
  const most = Math.max(...cells.map(({ count }) => count), 1);
  const height = scaleOf([0, most], [0, histogram.bottom - histogram.top]);
  const percents = (value: number): string => `${Math.round(value * 100)} %`;
  return markup`<svg class="chart" viewBox="0 0 ${size.width} ${size.height}" role="img" aria-labelledby="${id}-title ${id}-about">
<title id="${id}-title">${title}</title><desc id="${id}-about">${description}</desc>
${ticks.map(
  (tick) =>
    markup`<line class="grid" x1="${plot.left}" x2="${plot.right}" y1="${y(tick)}" y2="${y(tick)}"/><text class="tick" x="${plot.left - 6}" y="${y(tick) + 4}" text-anchor="end">${percents(tick)}</text><text class="tick" x="${x(tick)}" y="${plot.bottom + 16}" text-anchor="middle">${percents(tick)}</text>`,
)}
${cells.map((cell, i) => cellMarkup(cell, i, cells.length))}
<line class="diagonal" x1="${x(0)}" y1="${y(0)}" x2="${x(1)}" y2="${y(1)}"/>
${cells.map(({ count, correct, confidence }) =>
  count === 0
    ? null
    : markup`<circle class="best line-2" cx="${x(confidence).toFixed(1)}" cy="${y(correct / count).toFixed(1)}" r="4"/>`,
)}
${cells.map(({ count }, i) => {
  const [left, right] = [x(i / cells.length) + 1, x((i + 1) / cells.length) - 1];
  const top = histogram.bottom - (count === 0 ? 0 : Math.max(height(count), 1));
  const number = markup`<text class="tick" x="${((left + right) / 2).toFixed(1)}" y="${(top - 4).toFixed(1)}" text-anchor="middle">${count}</text>`;
  return markup`<rect class="fill-6" x="${left.toFixed(1)}" y="${top.toFixed(1)}" width="${(right - left).toFixed(1)}" height="${(histogram.bottom - top).toFixed(1)}"/>${number}`;
})}
<text class="axis" x="${(plot.left + plot.right) / 2}" y="${size.height - 8}" text-anchor="middle">how sure (probability of the predicted class)</text>
</svg>`;
}

function cellMarkup(cell: ReliabilityChart['cells'][number], index: number, cells: number): Markup | null {
  const { count, correct, confidence } = cell;
  if (count === 0) return null;
  const [left, right, top] = [x(index / cells) + 1, x((index + 1) / cells) - 1, y(correct / count)];
  const said = `${count} samples, ${(confidence * 100).toFixed(1)} % sure on average, ${((correct / count) * 100).toFixed(1)} % right`;
  return markup`<rect class="soft-1" x="${left.toFixed(1)}" y="${top.toFixed(1)}" width="${(right - left).toFixed(1)}" height="${(plot.bottom - top).toFixed(1)}"><title>${said}</title></rect>`;
}
