// A block at the end of the terminal that is redrawn in place, with lines that scroll away above it. Between two draws
// the cursor rests, hidden, at the block's first cell: when the terminal is resized and wraps what it shows anew, the
// cursor stays with that cell, so that the next draw starts at the right place without knowing the old width. The block
// is drawn with wrapping off: a terminal that has just become narrower, without our knowing yet, takes no more rows.

export interface AreaOutput {
  write(text: string): unknown;
  readonly rows?: number;
}

export interface LiveArea {
  /** Prints `above`, then shows `block` below it; lines must be narrower than the terminal. One write, or none if
   * nothing changed. */
  draw(above: readonly string[], block: readonly string[]): void;
  /** Takes the block away and shows the cursor, at the place where the block began. */
  clear(): void;
}

const hideCursor = '\x1b[?25l';
const showCursor = '\x1b[?25h';
const clearLine = '\x1b[K';
const clearBelow = '\x1b[J';
const wrapOff = '\x1b[?7l';
const wrapOn = '\x1b[?7h';
const rowsDefault = 24;

export function createLiveArea(output: AreaOutput): LiveArea {
  let shown: readonly string[] | null = null;
  return {
    draw(above, block) {
      // The cursor has to come back to the block's first line, which must not scroll away.
      const fitting = block.slice(0, Math.max(1, output.rows || rowsDefault));
      if (above.length === 0 && shown && sameLines(shown, fitting)) return;
      const history = above.map((text) => `${clearLine}${text}\r\n`).join('');
      const lines = fitting.map((text) => clearLine + text).join('\r\n');
      const up = fitting.length > 1 ? `\x1b[${fitting.length - 1}A` : '';
      output.write(`${shown ? '' : hideCursor}\r${history}${wrapOff}${lines}${clearBelow}${wrapOn}\r${up}`);
      shown = fitting;
    },
    clear() {
      if (shown) output.write(`\r${clearBelow}${showCursor}`);
      shown = null;
    },
  };
}

function sameLines(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, i) => text === b[i]);
}
