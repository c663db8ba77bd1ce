// Events wait here until the loop takes them all at once. Bounded: when it is full, one last event ends the job with the
// reason, and what comes after that is dropped. Posting never throws: it happens in handlers of sockets and timers.

import type { CoreEvent } from '../core/events.ts';

export const inboxEventsMax = 10_000;

export interface Inbox {
  post(event: CoreEvent): void;
  /** Ends a wait without an event. */
  wake(): void;
  /** Everything that waits, oldest first. */
  drain(): CoreEvent[];
  /** Resolves when something waits, or on wake. */
  filled(): Promise<void>;
  readonly depth: number;
}

const overflow: CoreEvent = {
  kind: 'broken',
  code: 'Internal',
  message: `the coordinator's inbox holds ${inboxEventsMax} events and takes no more: they come faster than they are decided`,
};

export function createInbox(): Inbox {
  let events: CoreEvent[] = [];
  let resolveWait: (() => void) | null = null;
  const wake = (): void => {
    resolveWait?.();
    resolveWait = null;
  };
  return {
    wake,
    post(event) {
      if (events.length > inboxEventsMax) return;
      events.push(events.length < inboxEventsMax ? event : overflow);
      wake();
    },
    drain() {
      const taken = events;
      events = [];
      return taken;
    },
    filled: () =>
      events.length > 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            resolveWait = resolve;
          }),
    get depth() {
      return events.length;
    },
  };
}
