// A matrix of counts as a table whose cells are coloured by their share of the row: numbers that can be read, searched
// and copied, with the look of a heat map. The diagonal has one colour, everything beside it another.

import { type Markup, markup } from '../markup.ts';

export interface HeatTable {
  readonly caption: string;
  readonly rowTitle: string;
  readonly columnTitle: string;
  /** Of rows and columns alike. */
  readonly names: readonly string[];
  readonly counts: readonly (readonly number[])[];
}

const levels = 10;

/** Longer column names are turned upright. */
const flatCharactersMax = 4;

export function heatTable({ caption, rowTitle, columnTitle, names, counts }: HeatTable): Markup {
  const isLong = names.some((name) => name.length > flatCharactersMax);
  return markup`<table class="${isLong ? 'heat long' : 'heat'}"><caption>${caption}</caption>
<thead><tr><td class="corner"></td><th class="span-title" scope="colgroup" colspan="${names.length}">${columnTitle}</th></tr>
<tr><th scope="col">${rowTitle}</th>${names.map((name) => markup`<th scope="col" class="column"><span title="${name}">${name}</span></th>`)}</tr></thead>
<tbody>${names.map((name, row) => rowMarkup(name, row, counts[row] ?? [], names))}</tbody></table>`;
}

function rowMarkup(name: string, row: number, cells: readonly number[], names: readonly string[]): Markup {
  const total = cells.reduce((sum, count) => sum + count, 0);
  return markup`<tr><th scope="row" class="row"><span title="${name}">${name}</span></th>${cells.map(
    (count, column) => {
      const said = `${count} of ${total} of ${name} taken for ${names[column] ?? ''}`;
      return markup`<td class="${heatClass(count, total, row === column)}" title="${said}">${count}</td>`;
    },
  )}</tr>`;
}

/** Mistakes are few where a model is good, so their colour grows with the root of their share. */
export function heatClass(count: number, total: number, isHit: boolean): string {
  if (count === 0 || total === 0) return 'nil';
  const share = isHit ? count / total : Math.sqrt(count / total);
  return `${isHit ? 'hit' : 'miss'}-${Math.min(levels - 1, Math.floor(share * levels))}`;
}
