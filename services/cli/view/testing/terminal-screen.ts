// A small terminal: takes what a program writes and holds what a person would see and could scroll back to. It knows
// only the control sequences that the view uses and refuses any other, so that nothing slips in unnoticed.

import assert from 'node:assert/strict';
import { displayWidth } from '../display-width.ts';

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

const escapeCharacter = '\u001b';
const tokens = new RegExp(`${escapeCharacter}\\[\\??\\d*[A-Za-z]|[^]`, 'gu');
const sequenceParts = new RegExp(`^${escapeCharacter}\\[(\\??\\d*)([A-Za-z])$`, 'u');

export class TerminalScreen {
  readonly columns: number;
  readonly rows: number;
  cursorVisible = true;
  /** Escape sequences seen that set a colour. */
  colours = 0;
  readonly #scrolledOff: string[] = [];
  readonly #screen: string[][];
  #row = 0;
  #column = 0;
  #wraps = true;

  constructor({ columns, rows }: ScreenSize) {
    this.columns = columns;
    this.rows = rows;
    this.#screen = Array.from({ length: rows }, () => []);
  }

  write(text: string): true {
    for (const [token] of text.matchAll(tokens)) {
      if (token === '\r') this.#column = 0;
      else if (token === '\n') this.#lineFeed();
      else if (token.startsWith(escapeCharacter)) this.#control(token);
      else this.#put(token);
    }
    return true;
  }

  /** Everything from the first line on, scrolled off or not; without what is empty at the end. */
  lines(): string[] {
    const all = [...this.#scrolledOff, ...this.#screen.map(rowText)];
    while (all.at(-1) === '') all.pop();
    return all;
  }

  get cursor(): { readonly row: number; readonly column: number } {
    return { row: this.#scrolledOff.length + this.#row, column: this.#column };
  }

  #put(character: string): void {
    const cells = displayWidth(character);
    if (this.#column + cells > this.columns) {
      if (this.#wraps) {
        this.#column = 0;
        this.#lineFeed();
      } else this.#column = this.columns - cells;
    }
    const row = this.#screen[this.#row] ?? [];
    row[this.#column] = character;
    if (cells === 2) row[this.#column + 1] = '';
    this.#column += cells;
  }

  #lineFeed(): void {
    if (this.#row + 1 < this.rows) this.#row += 1;
    else {
      this.#scrolledOff.push(rowText(this.#screen.shift() ?? []));
      this.#screen.push([]);
    }
  }

  #control(sequence: string): void {
    const [, argument = '', name = ''] = sequenceParts.exec(sequence) ?? [];
    if (name === 'm') this.colours += 1;
    else if (name === 'A') this.#row = Math.max(0, this.#row - Number(argument || 1));
    else if (name === 'K' && argument === '') this.#clearLine();
    else if (name === 'J' && argument === '') this.#clearBelow();
    else if (argument === '?25') this.cursorVisible = name === 'h';
    else if (argument === '?7') this.#wraps = name === 'h';
    else assert.fail(`the terminal got ${JSON.stringify(sequence)}, which it does not know`);
  }

  /** From the cursor on; a cursor that waits after the last column stands on it, as on real terminals. */
  #clearLine(): void {
    const row = this.#screen[this.#row] ?? [];
    row.length = Math.min(row.length, this.#column, this.columns - 1);
  }

  #clearBelow(): void {
    this.#clearLine();
    for (let row = this.#row + 1; row < this.rows; row++) this.#screen[row] = [];
  }
}

function rowText(row: readonly string[]): string {
  return Array.from(row, (character) => character ?? ' ')
    .join('')
    .trimEnd();
}
