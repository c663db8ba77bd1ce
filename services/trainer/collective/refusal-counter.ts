// Counts dropped frames and passes the counts on about once a second, so that a flood of garbage costs no more than
// its own reading.

import type { RefusalReason } from '@thaw/proto/frames/frame.ts';

const reportMilliseconds = 1000;

export interface RefusalCounter {
  add(reason: RefusalReason): void;
  /** Reports when it is time. */
  tick(now: number): void;
}

export function refusalCounter(report: (reason: RefusalReason, count: number) => void): RefusalCounter {
  const counts = new Map<RefusalReason, number>();
  let reportAt = 0;
  return {
    add: (reason) => void counts.set(reason, (counts.get(reason) ?? 0) + 1),
    tick(now) {
      if (now < reportAt) return;
      reportAt = now + reportMilliseconds;
      for (const [reason, count] of counts) report(reason, count);
      counts.clear();
    },
  };
}
