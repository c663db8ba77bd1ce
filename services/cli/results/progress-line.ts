// One line on a terminal that says how far a long command is and how long it still takes. Says nothing to a pipe.

import type { Clock } from '@thaw/common/clock/clock.ts';
import { durationText } from '../view/number-text.ts';

export interface ProgressLine {
  /** `what`: "evaluated 320 of 3000" without the numbers. */
  show(what: string, done: number, total: number): void;
  clear(): void;
}

const redrawMilliseconds = 100;
const eraseToEnd = '\u001b[K';

export function progressLine(stderr: NodeJS.WriteStream, clock: Clock): ProgressLine {
  const startedAt = clock.monotonic();
  let drawnAt = Number.NEGATIVE_INFINITY;
  let drawn = false;
  return {
    show(what, done, total) {
      const now = clock.monotonic();
      if (!stderr.isTTY || now - drawnAt < redrawMilliseconds) return;
      drawnAt = now;
      drawn = true;
      const left = done === 0 ? '' : `, ${durationText(((now - startedAt) / done / 1000) * (total - done))} left`;
      stderr.write(`\r${what} ${done} of ${total}${left}${eraseToEnd}`);
    },
    clear() {
      if (drawn) stderr.write(`\r${eraseToEnd}`);
      drawn = false;
    },
  };
}
