// What training cost the old task: the accuracy of the source's own classifier on the backbone, before training and after
// each epoch. Only of jobs with retention.

import { none } from '@thaw/common/text/number-text.ts';
import { legend } from '../chart/legend.ts';
import { markup } from '../markup.ts';
import { countText, percentText } from '../number-text.ts';
import type { PageData } from '../page-data.ts';
import type { EpochFigures } from '../run-history.ts';
import { bandsOf, figure, percentTick } from './curves.ts';
import { note, numbers, type Section, tableMarkup } from './parts.ts';

export function forgettingSection({ report, history }: PageData): readonly Section[] {
  const { oldTask, test } = report;
  if (!oldTask) return [];
  const { before, after, maxDrop, onExceed } = oldTask;
  const epochs = history.epochs.filter(({ retention }) => retention !== null);
  const later = epochs.map(({ epoch, retention }) => ({ x: epoch + 1, y: retention?.accuracy ?? 0 }));
  const points = [{ x: 0, y: before.accuracy }, ...later];
  const title = 'Accuracy on the old task';
  const chosen = test.epoch + 1;
  const chart = figure(title, {
    id: 'chart-forgetting',
    series: [{ name: 'old task', style: 2, points, highlights: [] }],
    yText: percentTick,
    bands: bandsOf(report, history.epochs),
    mark: { x: chosen, label: `epoch ${chosen}: its weights were tested and exported` },
  });
  const left = after ? `, and ${percentText(after.accuracy)} of them with the exported weights` : '';
  const rule =
    maxDrop === null
      ? 'It was only watched: no rule ended a stage by it.'
      : `A stage ${onExceed === 'stop' ? 'ends' : 'is rolled back'} when it has fallen by more than ${(100 * maxDrop).toFixed(1)} points.`;
  const key = legend([
    { name: 'old task (epoch 0: before training)', swatch: { kind: 'line', style: 2 } },
    { name: `tested and exported (epoch ${chosen})`, swatch: { kind: 'mark' } },
  ]);
  const body = markup`<div class="halves"><div>${chart}${key}</div><div>
<p>Before training the source's own classifier was right about ${percentText(before.accuracy)} of ${countText(before.count, 'sample')} of the old task${left}. ${rule}</p>
${note('The old classifier stays as it was; only the backbone under it changes, so this is what training the backbone has cost. The result itself has the new classifier alone.')}
${numbers('Forgetting as a table', epochTable(epochs))}</div></div>`;
  return [{ id: 'forgetting', title: 'Forgetting', body }];
}

function epochTable(epochs: readonly EpochFigures[]) {
  return tableMarkup<EpochFigures>({
    caption: 'Accuracy on the old task after each epoch',
    rows: epochs,
    columns: [
      { title: 'epoch', isNumber: true, cell: ({ epoch }) => String(epoch + 1) },
      {
        title: 'old task',
        isNumber: true,
        cell: ({ retention }) => (retention ? percentText(retention.accuracy) : none),
      },
      {
        title: 'points lost',
        isNumber: true,
        cell: ({ retention }) => (retention ? (100 * retention.drop).toFixed(1) : none),
      },
    ],
  });
}
