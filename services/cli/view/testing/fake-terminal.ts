// A stream that is a terminal of a given size, in memory: what is written lands on a TerminalScreen.

import { EventEmitter } from 'node:events';
import { TerminalScreen } from './terminal-screen.ts';

export interface FakeTerminal {
  readonly stream: NodeJS.WriteStream;
  readonly screen: TerminalScreen;
  /** Each write, as it came. */
  readonly writes: readonly string[];
  /** Tells the program another width; what is on the screen stays as it is. */
  resize(columns: number): void;
}

export function fakeTerminal(options: {
  columns: number;
  rows: number;
  colours?: boolean;
  isTTY?: boolean;
}): FakeTerminal {
  const { columns, rows, colours = false, isTTY = true } = options;
  const screen = new TerminalScreen({ columns, rows });
  const writes: string[] = [];
  const emitter = Object.assign(new EventEmitter(), {
    isTTY,
    columns,
    rows,
    hasColors: () => colours,
    write: (text: string): boolean => {
      writes.push(text);
      // A terminal driver turns a line feed into both; a pipe does not matter here.
      return screen.write(text.replaceAll(/\r?\n/g, '\r\n'));
    },
  });
  const resize = (width: number): void => {
    emitter.columns = width;
    emitter.emit('resize');
  };
  return { stream: emitter as unknown as NodeJS.WriteStream, screen, writes, resize };
}
