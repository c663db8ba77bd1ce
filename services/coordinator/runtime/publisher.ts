// Carries outbox entries to the event stream, one after the other, oldest first. Retries while the broker is away; the
// broker's own deadline ends the job, not this.

import { setTimeout as delay } from 'node:timers/promises';
import { type ThawError, toThawError } from '@thaw/common/errors/thaw-error.ts';
import { eventLine, type OutboxEvent } from '../core/event-log.ts';
import type { EventStream } from './ports.ts';

export interface Publisher {
  /** The outbox as it is stored; entries that are under way already are skipped. */
  offer(outbox: readonly OutboxEvent[]): void;
  /** Resolves when everything offered is published or given up. */
  idle(): Promise<void>;
  /** Lines published so far, from number `from` on; the oldest are dropped past linesMax. */
  lines(from: number): { readonly lines: readonly string[]; readonly next: number };
}

export interface PublisherHandlers {
  published(event: OutboxEvent): void;
  failed(error: ThawError): void;
}

export const linesMax = 1000;
const attemptsMax = 10;
const retryMilliseconds = 250;

export function createPublisher(stream: EventStream, handlers: PublisherHandlers): Publisher {
  const kept: string[] = [];
  let dropped = 0;
  let offered = 0;
  let work: Promise<void> = Promise.resolve();
  let failed = false;

  const publish = async (event: OutboxEvent): Promise<void> => {
    for (let attempt = 1; !failed; attempt++) {
      try {
        await stream.append(event);
        break;
      } catch (thrown) {
        const error = toThawError(thrown, 'BrokerLost');
        if (error.code === 'BrokerLost' && attempt < attemptsMax) await delay(retryMilliseconds);
        else {
          failed = true;
          handlers.failed(error);
        }
      }
    }
    kept.push(eventLine(event));
    if (kept.length > linesMax) dropped += kept.splice(0, kept.length - linesMax).length;
    if (!failed) handlers.published(event);
  };

  return {
    offer(outbox) {
      for (const event of outbox) {
        if (event.sequence <= offered) continue;
        offered = event.sequence;
        work = work.then(() => publish(event));
      }
    },
    async idle() {
      await work;
    },
    lines(from) {
      const start = Math.max(0, from - dropped);
      return { lines: kept.slice(start), next: dropped + kept.length };
    },
  };
}
