// What the colours and dashes of a chart stand for, as a list that wraps on a narrow page.

import { type Markup, markup } from '../markup.ts';

export interface LegendEntry {
  readonly name: string;
  /** A line drawn as the chart draws it, or a filled square. */
  readonly swatch:
    | { readonly kind: 'line'; readonly style: number }
    | { readonly kind: 'fill'; readonly style: number }
    | { readonly kind: 'soft'; readonly style: 1 }
    | { readonly kind: 'best'; readonly style: number }
    | { readonly kind: 'mark' };
}

export function legend(entries: readonly LegendEntry[]): Markup {
  return markup`<ul class="legend">${entries.map(({ name, swatch }) => markup`<li>${swatchMarkup(swatch)}${name}</li>`)}</ul>`;
}

function swatchMarkup(swatch: LegendEntry['swatch']): Markup {
  return markup`<svg class="swatch" viewBox="0 0 24 12" aria-hidden="true">${shapeOf(swatch)}</svg>`;
}

function shapeOf(swatch: LegendEntry['swatch']): Markup {
  switch (swatch.kind) {
    case 'line':
      return markup`<path class="line line-${swatch.style}" d="M1 6L23 6"/>`;
    case 'fill':
      return markup`<rect class="fill-${swatch.style}" x="6" y="0" width="12" height="12" rx="2"/>`;
    case 'soft':
      return markup`<rect class="soft-${swatch.style}" x="6" y="1" width="12" height="10" rx="2"/>`;
    case 'best':
      return markup`<circle class="best line-${swatch.style}" cx="12" cy="6" r="4.5"/>`;
    case 'mark':
      return markup`<line class="mark" x1="12" x2="12" y1="0" y2="12"/>`;
  }
}
