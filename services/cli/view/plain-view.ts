// The view where nobody watches: one line an event on stderr, without escape codes, and a line of progress after ten
// seconds without one. The result goes to stdout.

import type { Clock } from '@thaw/common/clock/clock.ts';
import { writeEnding } from './ending.ts';
import { foldUpdate } from './fold-update.ts';
import { historyLines } from './history.ts';
import { progressText } from './progress-text.ts';
import type { RunView } from './run-view.ts';
import { type Line, line, paint } from './styled-line.ts';
import { elapsedSeconds, initialViewState } from './view-state.ts';

export interface PlainViewOptions {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly clock: Clock;
}

const progressMilliseconds = 10_000;
const endedStates: ReadonlySet<string> = new Set(['Succeeded', 'Failed', 'Cancelled']);

export function createPlainView({ stdout, stderr, clock }: PlainViewOptions): RunView {
  let state = initialViewState({ monotonic: clock.monotonic(), wall: clock.wall() });
  let writtenAt = clock.monotonic();
  let ended = false;

  const print = (lines: readonly Line[]): void => {
    if (lines.length === 0) return;
    stderr.write(lines.map((spans) => `${paint(spans, false)}\n`).join(''));
    writtenAt = clock.monotonic();
  };
  const now = (text: string): Line[] => {
    const seconds = elapsedSeconds(state, clock.monotonic());
    const content = { kind: 'line', variants: [line(text)] } as const;
    return historyLines({ seconds, minor: false, content }, Number.POSITIVE_INFINITY);
  };

  return {
    starting: (what) => print(now(`starting ${what}`)),
    update(update) {
      const folded = foldUpdate(state, update);
      state = folded.state;
      print(folded.history.flatMap((entry) => historyLines(entry, Number.POSITIVE_INFINITY)));
      const { status } = state;
      const silent = clock.monotonic() - writtenAt >= progressMilliseconds;
      if (status && silent && !endedStates.has(status.state)) print(now(progressText(status)));
    },
    warn: (message) => print(message.split('\n').map((text, i) => line(i === 0 ? `warning: ${text}` : text))),
    end(ending) {
      if (ended) return;
      ended = true;
      writeEnding(ending, { stdout, stderr });
    },
  };
}
