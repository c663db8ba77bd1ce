// How the model does on the test set, class by class: what it takes for what, and the figures of each class.

import type { ConfusedPair } from '@thaw/common/evaluation/confused-pairs.ts';
import { none } from '@thaw/common/text/number-text.ts';
import { heatTable } from '../chart/heat-table.ts';
import { type Insert, type Markup, markup } from '../markup.ts';
import { countText, groupedText, percentText, scoreText } from '../number-text.ts';
import type { PageData } from '../page-data.ts';
import { note, type Section, scrolled, tableMarkup } from './parts.ts';

export const matrixClassesMax = 20;
/** A larger matrix has the page's whole width. */
const narrowMatrixClassesMax = 10;
const pairsMax = 30;

type Test = PageData['report']['test'];

export function testResultsSection({ report: { test } }: PageData): Section {
  const sets = `The weights of epoch ${test.epoch + 1} on ${countText(test.count, 'test sample')} that no stage has seen.`;
  const unreadable = test.badSamples > 0 ? ` ${countText(test.badSamples, 'unreadable one')} left out.` : '';
  const isMatrix = test.classes.length <= matrixClassesMax;
  const isWide = isMatrix && test.classes.length > narrowMatrixClassesMax;
  const confusion = isMatrix ? matrix(test) : pairs(test);
  const body = [
    note(`${sets}${unreadable}`),
    markup`<div class="${isWide ? 'stack' : 'halves'}"><div><h3>What was taken for what</h3>${confusion}</div><div><h3>Each class</h3>${classTable(test)}</div></div>`,
  ];
  return { id: 'test', title: 'Test', body };
}

function matrix({ classes, confusion }: Test): Insert {
  const caption = 'Confusion matrix: test samples by truth and prediction';
  const table = heatTable({
    caption,
    rowTitle: 'truth',
    columnTitle: 'predicted as',
    names: classes,
    counts: confusion,
  });
  return [
    scrolled(caption, table),
    note('Blue: right. Orange: mistakes. The stronger, the larger the share of its row; mistakes are coloured sooner.'),
  ];
}

function pairs({ classes, confusedPairs: all }: Test): Insert {
  if (all.length === 0) return note('No class was taken for another.');
  const shown = all.slice(0, pairsMax);
  const about = `A matrix of ${classes.length} classes cannot be read: these are the pairs most often confused, ${shown.length} of ${groupedText(all.length)}. report.json has the others.`;
  return [
    note(about),
    tableMarkup<ConfusedPair>({
      caption: 'Most confused pairs of classes',
      rows: shown,
      isSortable: true,
      columns: [
        { title: 'truth', cell: ({ truth }) => truth },
        { title: 'predicted as', cell: ({ prediction }) => prediction },
        { title: 'samples', isNumber: true, cell: ({ count }) => groupedText(count), value: ({ count }) => count },
        { title: 'of its class', isNumber: true, cell: ({ share }) => percentText(share), value: ({ share }) => share },
      ],
    }),
  ];
}

type ClassRow = Test['perClass'][number] & { readonly takenFor: string };

function classTable({ perClass, confusedPairs }: Test): Markup {
  // Reversed, so that the most frequent pair of a class is the one that stays.
  const mostly = new Map([...confusedPairs].reverse().map((pair) => [pair.truth, pair]));
  const rows = perClass.map((one): ClassRow => ({ ...one, takenFor: takenFor(mostly.get(one.class)) }));
  const ratio = (title: string, of: (row: ClassRow) => number) => ({
    title,
    isNumber: true,
    cell: (row: ClassRow) => percentText(of(row)),
    value: of,
  });
  return tableMarkup<ClassRow>({
    caption: 'Precision, recall and F1 of each class',
    rows,
    isSortable: true,
    columns: [
      { title: 'class', cell: (row) => row.class },
      ratio('precision', ({ precision }) => precision),
      ratio('recall', ({ recall }) => recall),
      { title: 'F1', isNumber: true, cell: ({ f1 }) => f1Cell(f1), value: ({ f1 }) => f1 },
      {
        title: 'samples',
        isNumber: true,
        cell: ({ support }) => groupedText(support),
        value: ({ support }) => support,
      },
      { title: 'mostly taken for', cell: (row) => row.takenFor },
    ],
  });
}

/** The number, with a bar under it as long as it is large. */
function f1Cell(f1: number): Markup {
  return markup`${scoreText(f1)}<svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true"><rect class="rail" width="100" height="4"/><rect class="fill-1" width="${(f1 * 100).toFixed(1)}" height="4"/></svg>`;
}

function takenFor(pair: ConfusedPair | undefined): string {
  return pair === undefined ? none : `${pair.prediction} (${pair.count})`;
}
