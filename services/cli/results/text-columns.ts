// Text in columns: what every table of a result needs, and nothing more. Widths are in terminal cells.

import { displayWidth, startWithin } from '../view/display-width.ts';

/** Cells of a terminal whose width is not known. */
export const defaultColumns = 80;

/** Keeps the start. */
export function elideEnd(text: string, width: number): string {
  return displayWidth(text) <= width ? text : `${startWithin(text, width - 1)}…`;
}

/** Keeps the end, which tells files apart. */
export function elideStart(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  const kept = [...text];
  while (displayWidth(kept.join('')) > width - 1) kept.shift();
  return `…${kept.join('')}`;
}

export function widest(texts: Iterable<string>): number {
  let width = 0;
  for (const text of texts) width = Math.max(width, displayWidth(text));
  return width;
}
