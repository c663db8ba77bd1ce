// What each stage cost and what it brought: one card a stage, and where their time went.

import { metricTitles } from '@thaw/common/evaluation/metric-title.ts';
import type { Metric } from '@thaw/common/job/resolved-job.ts';
import { bytesText, none, shortText } from '@thaw/common/text/number-text.ts';
import type { Metrics, StepParts } from '../../../core/state.ts';
import { shownSelection } from '../../trained-blocks.ts';
import { legend } from '../chart/legend.ts';
import { stackedBars } from '../chart/stacked-bars.ts';
import { type Insert, type Markup, markup } from '../markup.ts';
import { countText, dateText, groupedText, percentText, scoreText, secondsText } from '../number-text.ts';
import type { PageData } from '../page-data.ts';
import type { EpochFigures } from '../run-history.ts';
import { type Fact, factList, note, numbers, type Section, tableMarkup } from './parts.ts';

type Stage = PageData['report']['stages'][number];

const partNames = ['data', 'features', 'compute', 'exchange', 'apply'] as const satisfies (keyof StepParts)[];
const restName = 'evaluate, store, wait';

export function stagesSection(data: PageData): Section {
  const { stages } = data.report;
  const cards = stages.map((stage, index) => stageCard(data, stage, index));
  return { id: 'stages', title: 'Stages', body: [markup`<div class="cards">${cards}</div>`, timeSplit(data)] };
}

function stageCard(data: PageData, stage: Stage, index: number): Markup {
  const resolved = data.job.stages[index];
  const own = epochsOf(data, index);
  const bytes = own.reduce((sum, { reducedBytes }) => sum + (reducedBytes ?? 0), 0);
  const bestInStage = own.findIndex(({ epoch }) => epoch === stage.best.epoch) + 1;
  const trains = shownSelection(data.job, data.report, index).flatMap((pattern, i) => [
    i === 0 ? '' : ', ',
    markup`<code>${pattern}</code>`,
  ]);
  return markup`<article><h3><span class="ordinal">${index + 1}</span> ${stage.name}</h3>${broughtMarkup(data, stage, index)}
${factList([
  ['trains', trains],
  [
    'optimizer',
    resolved
      ? `${resolved.optimizer.kind}, learning rate ${shortText(resolved.learningRate)}, ${resolved.curve}`
      : none,
  ],
  ['epochs', `${stage.epochs}${bestInStage > 0 ? `, the best is number ${bestInStage}` : ''}`],
  ['steps', groupedText(stage.steps)],
  ...reusedFacts(stage),
  [stage.reused ? 'time then' : 'time', secondsText(stage.seconds)],
  ['gradients reduced', bytesText(bytes)],
  ['ended because', stage.ended],
  ...rolledBackFacts(stage),
])}</article>`;
}

function reusedFacts({ reused }: Stage): Fact[] {
  if (!reused) return [];
  const { job, trainedAt } = reused;
  return [['reused', `trained by ${job} on ${dateText(Date.parse(trainedAt))}, not again in this run`]];
}

function rolledBackFacts({ rolledBack }: Stage): Fact[] {
  if (!rolledBack) return [];
  const { toEpoch } = rolledBack;
  const to = toEpoch === null ? 'the pretrained weights and an untrained head' : `the state of epoch ${toEpoch + 1}`;
  return [['rolled back', `to ${to}: nothing of this stage is in the result`]];
}

/** By the metric that decides the stage. */
function broughtMarkup(data: PageData, stage: Stage, index: number): Markup {
  const metric = metricOf(stage.best.metric);
  const text = metric === 'accuracy' ? percentText : scoreText;
  const after = stage.best.value;
  const before = metricsBefore(data, index)?.[metric];
  const name = `validation ${metricTitles[metric]}`;
  if (before === undefined) {
    return markup`<p class="brought"><b>${text(after)}</b> <span>${name}, from a head without training</span></p>`;
  }
  const isBetter = metric === 'loss' ? after < before : after > before;
  const change = metric === 'accuracy' ? `${signed((after - before) * 100, 1)} points` : signed(after - before, 4);
  const sign = markup`<em class="${after === before ? 'same' : isBetter ? 'better' : 'worse'}">${change}</em>`;
  return markup`<p class="brought">${text(before)} → <b>${text(after)}</b> ${sign} <span>${name}</span></p>`;
}

/** Validation of the weights that the stage began with; undefined for the first one. */
function metricsBefore(data: PageData, index: number): Metrics | undefined {
  const before = data.report.stages.slice(0, index);
  const standing = before.findLast(({ rolledBack }) => rolledBack === undefined);
  const previous = before.at(-1);
  if (!standing || !previous) return undefined;
  if (data.job.stages[index]?.onEnter === 'restoreBest') return standing.validation ?? undefined;
  const lastEpoch = previous.rolledBack ? previous.rolledBack.toEpoch : epochsOf(data, index - 1).at(-1)?.epoch;
  return data.history.epochs.find(({ epoch }) => epoch === lastEpoch)?.validation ?? undefined;
}

function metricOf(name: string): Metric {
  return name in metricTitles ? (name as Metric) : 'loss';
}

function signed(value: number, digits: number): string {
  const text = Math.abs(value).toFixed(digits);
  return Number(text) === 0 ? '±0' : `${value < 0 ? '−' : '+'}${text}`;
}

function epochsOf({ history }: PageData, stage: number): EpochFigures[] {
  return history.epochs.filter((epoch) => epoch.stage === stage);
}

interface Split {
  readonly name: string;
  /** Seconds, in the order of partNames, then the rest. */
  readonly values: readonly number[];
  readonly seconds: number;
}

function timeSplit(data: PageData): Insert {
  const splits = data.report.stages.flatMap((stage, index): Split[] => {
    if (stage.reused) return [];
    const own = epochsOf(data, index);
    const parts = partNames.map((part) => own.reduce((sum, epoch) => sum + (epoch.parts?.[part] ?? 0), 0));
    const rest = Math.max(0, stage.seconds - parts.reduce((sum, part) => sum + part, 0));
    return [{ name: stage.name, values: [...parts, rest], seconds: stage.seconds }];
  });
  if (splits.length === 0)
    return note('Every stage was trained before: this run only tested and exported the weights.');
  const parts = [...partNames, restName];
  const chart = stackedBars({
    id: 'chart-time',
    title: 'Where the time of each stage went',
    description: splits.map((split) => describedSplit(split, parts)).join(' '),
    rows: splits.map(({ name, values, seconds }) => ({ name, values, total: secondsText(seconds) })),
    parts,
    text: secondsText,
  });
  const entries = parts.map((name, i) => ({ name, swatch: { kind: 'fill', style: i + 1 } as const }));
  return markup`<div class="halves later"><figure><figcaption>Where the time went</figcaption>${chart}${legend(entries)}</figure><div>
${note(`Each part is that of the slowest trainer.${unknownNote(data)}`)}
${factList(partsExplained)}${numbers('Time split as a table', splitTable(splits, parts))}</div></div>`;
}

const partsExplained: readonly Fact[] = [
  ['data', 'reading pictures for a step'],
  ['features', 'running the frozen part, once for each sample'],
  ['compute', 'forward and backward through the thawed part'],
  ['exchange', 'summing gradients between the trainers'],
  ['apply', 'the optimizer'],
];

function unknownNote(data: PageData): string {
  const unknown = data.history.epochs.filter(({ parts }) => parts === null).length + data.history.epochsMissing;
  return unknown === 0 ? '' : ` ${countText(unknown, 'epoch')} did not say and count as the rest.`;
}

function describedSplit({ name, values, seconds }: Split, parts: readonly string[]): string {
  return `${name}, ${secondsText(seconds)}: ${values.map((value, i) => `${parts[i]} ${secondsText(value)}`).join(', ')}.`;
}

function splitTable(splits: readonly Split[], parts: readonly string[]): Markup {
  return tableMarkup<Split>({
    caption: 'Time of each stage by what it was for',
    rows: splits,
    columns: [
      { title: 'stage', cell: ({ name }) => name },
      ...parts.map((title, i) => ({
        title,
        isNumber: true,
        cell: ({ values }: Split) => secondsText(values[i] ?? 0),
      })),
      { title: 'total', isNumber: true, cell: ({ seconds }) => secondsText(seconds) },
    ],
  });
}
