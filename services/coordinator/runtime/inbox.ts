// Events wait here until the loop takes them all at once. Bounded: a coordinator that cannot keep up says so and stops
// rather than growing without limit.

import { ThawError } from '@thaw/common/errors/thaw-error.ts';
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
      if (events.length >= inboxEventsMax) {
        throw new ThawError('Internal', `the coordinator's inbox holds ${inboxEventsMax} events and takes no more`);
      }
      events.push(event);
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
