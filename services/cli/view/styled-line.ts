// A line of the terminal as spans of plain text, each with a style: cut and measured without escape codes in the way,
// painted last. Few styles, by meaning; all of them may be left out.

import { displayWidth, plainText, startWithin } from './display-width.ts';

const codes = { bold: '1', dim: '2', good: '32', warning: '33', bad: '31' } as const;
export type Style = 'plain' | keyof typeof codes;

export interface Span {
  readonly text: string;
  readonly style: Style;
}

export type Line = readonly Span[];

export function span(text: string, style: Style = 'plain'): Span {
  return { text: plainText(text), style };
}

export function line(text: string, style: Style = 'plain'): Line {
  return [span(text, style)];
}

export function lineWidth(spans: Line): number {
  return spans.reduce((sum, { text }) => sum + displayWidth(text), 0);
}

/** The first of the variants, widest first, that fits; the last one is cut if it must be. */
export function fitLine(variants: readonly Line[], width: number): Line {
  return variants.find((variant) => lineWidth(variant) <= width) ?? cutLine(variants.at(-1) ?? [], width);
}

const ellipsis = '…';

/** At most `width` cells; what was cut off is marked by an ellipsis. */
export function cutLine(spans: Line, width: number): Line {
  if (lineWidth(spans) <= width) return spans;
  const kept: Span[] = [];
  let left = width - displayWidth(ellipsis);
  for (const { text, style } of spans) {
    const start = startWithin(text, left);
    kept.push({ text: start.length < text.length ? start + ellipsis : start, style });
    if (start.length < text.length) break;
    left -= displayWidth(start);
  }
  return kept;
}

/** The line as the terminal gets it. */
export function paint(spans: Line, colour: boolean): string {
  return spans
    .map(({ text, style }) =>
      colour && style !== 'plain' && text !== '' ? `\x1b[${codes[style]}m${text}\x1b[0m` : text,
    )
    .join('');
}
