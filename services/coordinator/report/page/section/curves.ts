// Losses, accuracies and the learning rate over the epochs, with the stages behind them.

import { none, shortText } from '@thaw/common/text/number-text.ts';
import { legend } from '../chart/legend.ts';
import { type Band, type LineChart, lineChart, type Series } from '../chart/line-chart.ts';
import { type Insert, type Markup, markup } from '../markup.ts';
import { countText, percentText, scoreText, secondsText } from '../number-text.ts';
import type { PageData } from '../page-data.ts';
import type { EpochFigures } from '../run-history.ts';
import { note, numbers, type Section, tableMarkup } from './parts.ts';

/** Rows of the table of epochs; the event log has the others. */
const rowsMax = 1000;

export function curvesSection({ report, history }: PageData): Section {
  const { epochs, epochsMissing } = history;
  const chosen = report.test.epoch + 1;
  const charts: Insert = epochs.length === 0 ? note('No epoch was trained.') : figures(report, epochs, chosen);
  const missing = epochsMissing > 0 ? note(`${countText(epochsMissing, 'epoch')} left no figures.`) : null;
  return { id: 'curves', title: 'Training', body: [charts, missing, epochTable(report, epochs)] };
}

type Shared = Pick<LineChart, 'bands' | 'mark'>;

function figures(report: PageData['report'], epochs: readonly EpochFigures[], chosen: number): Markup {
  const shared: Shared = {
    bands: bandsOf(report, epochs),
    mark: { x: chosen, label: `epoch ${chosen}: its weights were tested and exported` },
  };
  const bests = report.stages.map(({ best }) => best.epoch + 1);
  const training = seriesOf('training', 1, epochs, []);
  const validation = seriesOf('validation', 2, epochs, bests);
  const loss = [training(({ loss }) => loss), validation((epoch) => epoch.validation?.loss)];
  const accuracy = [training(({ accuracy }) => accuracy), validation((epoch) => epoch.validation?.accuracy)];
  const rate = [seriesOf('learning rate', 3, epochs, [])(({ learningRate }) => learningRate)];
  return markup`<div class="charts">${[
    figure('Loss', { id: 'chart-loss', series: loss, yText: shortText, ...shared }),
    figure('Accuracy', { id: 'chart-accuracy', series: accuracy, yText: percentTick, ...shared }),
    figure("Learning rate at each epoch's end", { id: 'chart-rate', series: rate, yText: shortText, ...shared }),
  ]}</div>${legend([
    { name: 'training', swatch: { kind: 'line', style: 1 } },
    { name: 'validation', swatch: { kind: 'line', style: 2 } },
    { name: 'best epoch of a stage', swatch: { kind: 'best', style: 2 } },
    { name: `tested and exported (epoch ${chosen})`, swatch: { kind: 'mark' } },
  ])}`;
}

export function figure(title: string, chart: Omit<LineChart, 'title' | 'description'>): Markup {
  const description = chart.series.map((series) => described(series, chart.yText)).join(' ');
  return markup`<figure><figcaption>${title}</figcaption>${lineChart({ ...chart, title, description })}</figure>`;
}

function described({ name, points }: Series, text: (y: number) => string): string {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last) return `${name}: nothing.`;
  return `${name}: from ${text(first.y)} in epoch ${first.x} to ${text(last.y)} in epoch ${last.x}.`;
}

function seriesOf(
  name: string,
  style: Series['style'],
  epochs: readonly EpochFigures[],
  highlights: readonly number[],
) {
  return (figureOf: (epoch: EpochFigures) => number | undefined): Series => {
    const points = epochs.flatMap((one) => {
      const y = figureOf(one);
      return y === undefined ? [] : [{ x: one.epoch + 1, y }];
    });
    return { name, style, points, highlights };
  };
}

/** The stages, as the chart's background. */
export function bandsOf(report: PageData['report'], epochs: readonly EpochFigures[]): Band[] {
  return report.stages.flatMap(({ name }, stage) => {
    const own = epochs.filter((epoch) => epoch.stage === stage);
    const [first, last] = [own[0], own.at(-1)];
    return first && last ? [{ name, from: first.epoch + 1, to: last.epoch + 1 }] : [];
  });
}

export function percentTick(value: number): string {
  return `${shortText(value * 100)} %`;
}

function epochTable({ stages }: PageData['report'], epochs: readonly EpochFigures[]): Markup {
  const every = Math.max(1, Math.ceil(epochs.length / rowsMax));
  const bests = new Set(stages.map(({ best }) => best.epoch));
  const rows = epochs.filter(({ epoch }, i) => i % every === 0 || i === epochs.length - 1 || bests.has(epoch));
  const table = tableMarkup<EpochFigures>({
    caption: 'Figures of each epoch',
    rows,
    columns: [
      { title: 'epoch', isNumber: true, cell: ({ epoch }) => `${epoch + 1}${bests.has(epoch) ? ' ★' : ''}` },
      { title: 'stage', cell: ({ stage }) => stages[stage]?.name ?? '' },
      { title: 'training loss', isNumber: true, cell: ({ loss }) => scoreText(loss) },
      {
        title: 'validation loss',
        isNumber: true,
        cell: ({ validation }) => (validation ? scoreText(validation.loss) : none),
      },
      { title: 'training accuracy', isNumber: true, cell: ({ accuracy }) => percentText(accuracy) },
      {
        title: 'validation accuracy',
        isNumber: true,
        cell: ({ validation }) => (validation ? percentText(validation.accuracy) : none),
      },
      {
        title: 'validation macro-F1',
        isNumber: true,
        cell: ({ validation }) => (validation ? scoreText(validation.macroF1) : none),
      },
      // Logs of an earlier Thaw have none.
      { title: 'validation AUC', isNumber: true, cell: ({ validation }) => scoreText(validation?.auc ?? Number.NaN) },
      { title: 'learning rate', isNumber: true, cell: ({ learningRate }) => shortText(learningRate) },
      { title: 'time', isNumber: true, cell: ({ seconds }) => secondsText(seconds) },
    ],
  });
  const left = every === 1 ? null : note(`One epoch in ${every}; events.jsonl has all of them.`);
  return markup`${numbers('All epochs as a table (★ is the best of its stage)', table)}${left}`;
}
