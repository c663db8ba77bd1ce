// Which classes are taken for which: the whole matrix while it can be read, else its largest cells off the diagonal.

import type { Confusion } from '@thaw/common/evaluation/confused-pairs.ts';
import { displayWidth, padToWidth, plainText } from '../view/display-width.ts';
import { percentText } from '../view/number-text.ts';
import { defaultColumns, elideEnd, widest } from './text-columns.ts';

interface Shown extends Confusion {
  readonly classes: readonly string[];
}

const matrixClassesMax = 12;
const pairsShownMax = 10;
/** Labels up to this length head their columns themselves; longer ones get a letter. */
const headerWidthMax = 5;
const classWidthMax = 24;

export function confusionText({ confusion, confusedPairs, classes }: Shown): string[] {
  return classes.length <= matrixClassesMax ? matrix(confusion, classes) : pairs(confusedPairs);
}

function matrix(confusion: Confusion['confusion'], classes: readonly string[]): string[] {
  const labels = classes.map(plainText);
  const short = widest(labels) <= headerWidthMax;
  const keys = short ? labels : labels.map((_, i) => String.fromCharCode('a'.charCodeAt(0) + i));
  const cellWidth = Math.max(widest(keys), widest(confusion.flat().map(String)));
  const room = defaultColumns - classes.length * (cellWidth + 1) - 1;
  const heads = short ? labels : labels.map((label, i) => elideEnd(`${keys[i]} = ${label}`, Math.max(8, room)));
  const headWidth = Math.max(widest(heads), 'truth'.length);
  const row = (head: string, cells: readonly string[]): string =>
    [padToWidth(head, headWidth), ...cells.map((cell) => ' '.repeat(cellWidth - displayWidth(cell)) + cell)].join(' ');
  return [
    'confusion: a row is the truth, a column the prediction',
    row('truth', keys),
    ...confusion.map((cells, i) =>
      row(
        heads[i] as string,
        cells.map((cell) => (cell === 0 ? '.' : String(cell))),
      ),
    ),
  ];
}

function pairs(all: Confusion['confusedPairs']): string[] {
  if (all.length === 0) return ['no class was taken for another'];
  const name = (label: string): string => elideEnd(plainText(label), classWidthMax);
  const shown = all.slice(0, pairsShownMax);
  const names = shown.map(({ truth }) => name(truth));
  const guesses = shown.map(({ prediction }) => name(prediction));
  const more = all.length > shown.length ? [`and ${all.length - shown.length} other pairs`] : [];
  return [
    'most confused: truth, prediction, samples, of that truth',
    ...shown.map(({ count, share }, i) =>
      [
        padToWidth(names[i] as string, widest(names)),
        padToWidth(guesses[i] as string, widest(guesses)),
        String(count).padStart(6),
        percentText(share),
      ].join('  '),
    ),
    ...more,
  ];
}
