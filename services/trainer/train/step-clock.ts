// Where the seconds of an epoch go: one running part at a time, added up per part.

import { type StepPart, stepParts } from '../comms/messages.ts';

export interface StepClock {
  /** Ends the running part and starts another. */
  enter(part: StepPart): void;
  /** Ends the running part; seconds by part since the last lap. */
  lap(): Record<StepPart, number>;
  /** Seconds by part since the clock was made, up to the last lap. */
  readonly total: Readonly<Record<StepPart, number>>;
}

/** `now`: milliseconds on a monotonic clock. */
export function stepClock(now: () => number): StepClock {
  const total = zeroParts();
  let lap = zeroParts();
  let running: StepPart | null = null;
  let since = 0;

  const stop = (): void => {
    const at = now();
    if (running) lap[running] += (at - since) / 1000;
    since = at;
    running = null;
  };
  return {
    total,
    enter(part) {
      stop();
      running = part;
    },
    lap() {
      stop();
      const ended = lap;
      for (const part of stepParts) total[part] += ended[part];
      lap = zeroParts();
      return ended;
    },
  };
}

function zeroParts(): Record<StepPart, number> {
  return Object.fromEntries(stepParts.map((part) => [part, 0])) as Record<StepPart, number>;
}
