// The building blocks of a section: its frame, tables in a box that scrolls on a narrow page, figures with their numbers.

import { type Insert, type Markup, markup } from '../markup.ts';

export interface Section {
  /** Of the address bar: #id. */
  readonly id: string;
  readonly title: string;
  readonly body: Insert;
}

export function sectionMarkup({ id, title, body }: Section): Markup {
  return markup`<section id="${id}" aria-labelledby="${id}-heading"><h2 id="${id}-heading">${title}</h2>${body}</section>`;
}

/** Reachable by keyboard, since it may have to be scrolled. */
export function scrolled(label: string, content: Markup): Markup {
  return markup`<div class="scroll" role="region" aria-label="${label}" tabindex="0">${content}</div>`;
}

export interface Column<Row> {
  readonly title: string;
  readonly isNumber?: boolean;
  readonly cell: (row: Row) => Insert;
  /** What the column is sorted by, where that is not what is shown. */
  readonly value?: (row: Row) => number;
}

export interface Table<Row> {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly isSortable?: boolean;
}

/** The first column is the row's heading. */
export function tableMarkup<Row>({ caption, columns, rows, isSortable = false }: Table<Row>): Markup {
  const kindOf = ({ isNumber = false }: Column<Row>): string => (isNumber ? 'number' : 'word');
  return scrolled(
    caption,
    markup`<table${isSortable ? markup` class="sortable"` : null}><caption>${caption}</caption>
<thead><tr>${columns.map((column) => markup`<th scope="col" class="${kindOf(column)}">${column.title}</th>`)}</tr></thead>
<tbody>${rows.map(
      (row) =>
        markup`<tr>${columns.map((column, i) => {
          const value = column.value ? markup` data-value="${column.value(row)}"` : null;
          if (i === 0) return markup`<th scope="row" class="${kindOf(column)}"${value}>${column.cell(row)}</th>`;
          return markup`<td class="${kindOf(column)}"${value}>${column.cell(row)}</td>`;
        })}</tr>`,
    )}</tbody></table>`,
  );
}

/** A table that is there for those who want the numbers, or cannot see the chart. */
export function numbers(title: string, table: Markup): Markup {
  return markup`<details><summary>${title}</summary>${table}</details>`;
}

export function note(text: Insert): Markup {
  return markup`<p class="note">${text}</p>`;
}

export type Fact = readonly [term: string, text: Insert];

export function factList(facts: readonly Fact[]): Markup {
  return markup`<dl class="facts">${facts.map(([term, text]) => markup`<div><dt>${term}</dt><dd>${text}</dd></div>`)}</dl>`;
}
