// The top of the page: what was trained, when, and how good it is.

import type { Loss } from '@thaw/common/job/resolved-job.ts';
import { stagesInResult } from '../../trained-blocks.ts';
import { type Markup, markup } from '../markup.ts';
import { countText, dateText, groupedText, percentText, scoreText, secondsText } from '../number-text.ts';
import type { PageData } from '../page-data.ts';

const lossTitles: Readonly<Record<Loss['kind'], string>> = {
  crossEntropy: 'cross-entropy, in nats',
  binaryCrossEntropy: 'binary cross-entropy, in nats',
  focal: 'focal loss, in nats',
  mse: 'mean squared error',
  mae: 'mean absolute error',
  huber: 'Huber loss',
};

export function summaryHeader({ report, origin, endedAt, history }: PageData): Markup {
  const { test, loss, seconds, steps, stepsReused, trainers } = report;
  const reused = stepsReused > 0 ? `, ${groupedText(stepsReused)} of them reused` : '';
  const right = Math.round(test.accuracy * test.count);
  const [low, high] = wilsonInterval(right, test.count);
  const tiles: [string, string, string][] = [
    ['test accuracy', percentText(test.accuracy), `${groupedText(right)} of ${groupedText(test.count)} right`],
    ['macro-F1', scoreText(test.macroF1), `mean over ${countText(test.classes.length, 'class', 'classes')}`],
    ['AUC', scoreText(test.auc), topFiveText(test.top5)],
    ['test loss', scoreText(test.loss), lossTitles[loss.kind]],
    ['time', secondsText(seconds.total), `${secondsText(seconds.training)} of it training`],
    ['steps', groupedText(steps), `in ${countText(history.epochs.length + history.epochsMissing, 'epoch')}${reused}`],
    ['trainers', String(trainers.length), report.engineClass.device],
  ];
  return markup`<header><p class="kind">Thaw training report</p><h1>${report.name}</h1>
<p class="lead">An image classifier for ${countText(test.classes.length, 'class', 'classes')}, fine-tuned in ${countText(stagesInResult(report), 'stage')}; finished <time datetime="${new Date(endedAt).toISOString()}">${dateText(endedAt)}</time>.</p>
<p class="lead">Pretrained model: ${origin}.</p>
${(report.warnings ?? []).map((warning) => markup`<p class="note">Warning: ${warning}.</p>`)}
<dl class="tiles">${tiles.map(([term, value, about]) => markup`<div><dt>${term}</dt><dd><b>${value}</b><span>${about}</span></dd></div>`)}</dl>
<p class="note">${intervalNote(test.count, low, high)}</p></header>`;
}

function topFiveText(top5: number | undefined): string {
  return top5 === undefined ? 'one class against the rest' : `${percentText(top5)} among the first five`;
}

function intervalNote(count: number, low: number, high: number): string {
  if (count === 0) return 'No test sample could be read.';
  return `With ${countText(count, 'test sample')}, the accuracy on other samples of the same kind is between ${percentText(low)} and ${percentText(high)} (95 % confidence, Wilson's interval).`;
}

/** Of a proportion, at 95 %: Wilson 1927, without continuity correction. */
export function wilsonInterval(right: number, count: number): [number, number] {
  if (count === 0) return [0, 1];
  const z = 1.959964;
  const share = right / count;
  const middle = share + (z * z) / (2 * count);
  const half = z * Math.sqrt((share * (1 - share)) / count + (z * z) / (4 * count * count));
  const scale = 1 + (z * z) / count;
  return [(middle - half) / scale, (middle + half) / scale];
}
