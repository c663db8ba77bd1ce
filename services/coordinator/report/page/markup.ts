// HTML and SVG as text that cannot be broken by what is put into it: whatever is no Markup is escaped, between tags and
// inside quoted attributes alike. The only way to Markup is the tag below, or trusted() for text that Thaw wrote itself.

export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Insert = Markup | string | number | null | readonly Insert[];

/** markup`<td>${name}</td>`: attributes must be quoted with ". Null and empty lists leave nothing. */
export function markup(parts: TemplateStringsArray, ...inserts: readonly Insert[]): Markup {
  return new Markup(parts.map((part, i) => (i === 0 ? part : inserted(inserts[i - 1] ?? null) + part)).join(''));
}

/** Never of anything that comes from a job, a file or a name. */
export function trusted(text: string): Markup {
  return new Markup(text);
}

function inserted(insert: Insert): string {
  if (insert === null) return '';
  if (insert instanceof Markup) return insert.text;
  if (typeof insert === 'string' || typeof insert === 'number') return escaped(String(insert));
  return insert.map(inserted).join('');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/**
 * Controls, half characters and what turns the reading direction of the text around them: no document may hold the
 * first two, and the last makes a name look like another.
 */
const unsafeCharacters = /(?![\t\n\r])[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069\ufffe\uffff]/gu;

export function escaped(text: string): string {
  return text.replace(unsafeCharacters, '\ufffd').replace(/[&<>"']/g, (character) => entities[character] as string);
}
