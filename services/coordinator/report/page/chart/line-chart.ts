// Lines over epochs as one SVG: bands for the stages, a mark for the chosen epoch, a title on every point. Colours are
// classes (chart-style.ts), so the same text is right on light, dark and paper.

import { type Insert, type Markup, markup } from '../markup.ts';
import { type Axis, axisOf, scaleOf, wholeTicks } from './axis.ts';
import { type Point, thinPoints } from './thin-points.ts';

export interface LineChart {
  /** Of the whole page; titles and descriptions are found by it. */
  readonly id: string;
  readonly title: string;
  /** What there is to see, in a sentence, for those who do not see it. */
  readonly description: string;
  readonly series: readonly Series[];
  /** Stages, in order. Points may lie before the first one. */
  readonly bands: readonly Band[];
  /** The epoch whose weights were chosen. */
  readonly mark: { readonly x: number; readonly label: string } | null;
  readonly yText: (value: number) => string;
}

export interface Series {
  readonly name: string;
  /** A colour and a dash of chart-style.ts: line-1 to line-3. */
  readonly style: 1 | 2 | 3;
  /** In order of x. */
  readonly points: readonly Point[];
  /** x of points that stand out: the best epoch of each stage. */
  readonly highlights: readonly number[];
}

export interface Band {
  readonly name: string;
  /** First and last x. */
  readonly from: number;
  readonly to: number;
}

export const chartWidth = 400;
const chartHeight = 250;
const plot = { left: 50, right: 388, top: 30, bottom: 214 } as const;
const ticksMax = 6;
const pointsDrawnMax = 300;
/** More dots than that hide the line. */
const dotsMax = 60;
const bandCharacterWidth = 6.4;

interface Frame {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
}

export function lineChart(chart: LineChart): Markup {
  const { id, title, description, series, bands, mark } = chart;
  const all = series.flatMap(({ points }) => points);
  const axis = axisOf(
    all.map(({ y }) => y),
    ticksMax,
  );
  const [first, last] = extentOf(chart);
  const x = scaleOf([first - 0.5, last + 0.5], [plot.left, plot.right]);
  const y = scaleOf([axis.low, axis.high], [plot.bottom, plot.top]);
  const frame = { x, y };
  return markup`<svg class="chart" viewBox="0 0 ${chartWidth} ${chartHeight}" role="img" aria-labelledby="${id}-title ${id}-about">
<title id="${id}-title">${title}</title><desc id="${id}-about">${description}</desc>
${bands.map((band, i) => bandMarkup(band, i, frame))}${yAxis(axis, frame, chart.yText)}${xAxis(first, last, frame)}
${mark ? markMarkup(mark, frame) : null}${series.map((one) => seriesMarkup(one, frame, chart.yText))}
</svg>`;
}

/** From the first to the last x of bands and points. */
function extentOf({ bands, series }: LineChart): readonly [number, number] {
  const ofBands = bands.flatMap(({ from, to }) => [from, to]);
  const ofPoints = series.flatMap(({ points }) => [...points.slice(0, 1), ...points.slice(-1)]).map(({ x }) => x);
  const all = [...ofBands, ...ofPoints];
  return all.length === 0 ? [0, 1] : [Math.min(...all), Math.max(...all)];
}

function bandMarkup({ name, from, to }: Band, index: number, { x }: Frame): Markup {
  const [left, right] = [x(from - 0.5), x(to + 0.5)];
  const fits = Math.floor((right - left - 4) / bandCharacterWidth);
  const label =
    fits >= name.length ? name : fits >= 4 ? `${name.slice(0, fits - 1)}…` : fits >= 2 ? `${index + 1}` : '';
  const [width, middle] = [px(right - left), px((left + right) / 2)];
  return markup`<g><title>stage ${index + 1}: ${name}</title><rect class="band-${index % 2}" x="${px(left)}" y="${plot.top - 20}" width="${width}" height="${plot.bottom - plot.top + 20}"/>
<text class="band-name" x="${middle}" y="${plot.top - 7}" text-anchor="middle">${label}</text></g>`;
}

function yAxis({ ticks }: Axis, { y }: Frame, text: (value: number) => string): Insert {
  return ticks.map(
    (tick) =>
      markup`<line class="grid" x1="${plot.left}" x2="${plot.right}" y1="${px(y(tick))}" y2="${px(y(tick))}"/><text class="tick" x="${plot.left - 6}" y="${px(y(tick) + 4)}" text-anchor="end">${text(tick)}</text>`,
  );
}

function xAxis(first: number, last: number, { x }: Frame): Insert {
  const ticks = wholeTicks(first, last, 8).map(
    (tick) => markup`<text class="tick" x="${px(x(tick))}" y="${plot.bottom + 16}" text-anchor="middle">${tick}</text>`,
  );
  const middle = px((plot.left + plot.right) / 2);
  return [ticks, markup`<text class="axis" x="${middle}" y="${chartHeight - 4}" text-anchor="middle">epoch</text>`];
}

function markMarkup({ x: at, label }: NonNullable<LineChart['mark']>, { x }: Frame): Markup {
  const left = px(x(at));
  return markup`<g><title>${label}</title><line class="mark" x1="${left}" x2="${left}" y1="${plot.top}" y2="${plot.bottom}"/></g>`;
}

function seriesMarkup({ name, style, points, highlights }: Series, frame: Frame, yText: (y: number) => string): Insert {
  const drawn = thinPoints(
    points.filter(({ y }) => Number.isFinite(y)),
    pointsDrawnMax,
  );
  const path = drawn.map(({ x, y }, i) => `${i === 0 ? 'M' : 'L'}${px(frame.x(x))} ${px(frame.y(y))}`).join('');
  const shown = points.length <= dotsMax ? drawn : drawn.filter(({ x }) => highlights.includes(x));
  const dots = shown.map(({ x, y }) => {
    const isBest = highlights.includes(x);
    const said = `epoch ${x}, ${name}: ${yText(y)}${isBest ? ' (best of its stage)' : ''}`;
    return markup`<circle class="${isBest ? 'best' : 'dot'} line-${style}" cx="${px(frame.x(x))}" cy="${px(frame.y(y))}" r="${isBest ? 4.5 : 2.2}"><title>${said}</title></circle>`;
  });
  return [markup`<path class="line line-${style}" d="${path}"/>`, dots];
}

/** To a tenth of a pixel. */
function px(value: number): number {
  return Math.round(value * 10) / 10;
}
