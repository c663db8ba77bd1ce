import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { createLiveArea } from './live-area.ts';
import { fakeTerminal } from './testing/fake-terminal.ts';
import { TerminalScreen } from './testing/terminal-screen.ts';

const columns = 30;
const anyLine = fc
  .string({ unit: 'grapheme-ascii', minLength: 1, maxLength: columns - 1 })
  .map((text) => `${text}.`.slice(-columns + 1));
const anyDraw = fc.record({
  above: fc.array(anyLine, { maxLength: 4 }),
  block: fc.array(anyLine, { minLength: 1, maxLength: 7 }),
  cleared: fc.boolean(),
});

it('shows all lines in order above the block, and nothing else, whatever is drawn', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.nat(15),
      fc.array(anyDraw, { maxLength: 12 }),
      (rows, before, draws) => {
        const screen = new TerminalScreen({ columns, rows });
        const history = Array.from({ length: before }, (_, i) => `$ ${i}`);
        for (const text of history) screen.write(`${text}\r\n`);
        const area = createLiveArea({ write: (text) => screen.write(text), rows });
        for (const { above, block, cleared } of draws) {
          area.draw(above, block);
          history.push(...above);
          assert.deepEqual(screen.lines(), trimmed([...history, ...block.slice(0, rows)]));
          assert.deepEqual(screen.cursor, { row: history.length, column: 0 });
          assert.equal(screen.cursorVisible, false);
          if (!cleared) continue;
          area.clear();
          assert.deepEqual(screen.lines(), trimmed(history));
          assert.equal(screen.cursorVisible, true);
        }
      },
    ),
  );
});

it('writes once a draw, and nothing when nothing changed', () => {
  const { stream, writes } = fakeTerminal({ columns, rows: 10 });
  const area = createLiveArea(stream);
  area.draw([], ['a', 'b']);
  area.draw([], ['a', 'b']);
  assert.equal(writes.length, 1);
  area.draw(['above'], ['a', 'b']);
  area.clear();
  area.clear();
  assert.equal(writes.length, 3);
});

it('stays in place on a terminal that is narrower than we know', () => {
  const screen = new TerminalScreen({ columns: 10, rows: 8 });
  const area = createLiveArea({ write: (text) => screen.write(text), rows: 8 });
  for (const text of ['first block, too wide', 'another block, too wide']) area.draw([], [text, text]);
  area.draw([], ['fits', 'now']);
  assert.deepEqual(screen.lines(), ['fits', 'now']);
});

function trimmed(lines: readonly string[]): string[] {
  return lines.map((text) => text.trimEnd());
}
