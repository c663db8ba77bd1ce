// Carries outbox entries to the event stream, one after the other, oldest first. Retries while the broker is away; the
// broker's own deadline ends the job, not this. Once the stream takes none any more, the entries still go to the file:
// how a job ended is told there whatever happened to the broker.

import { setTimeout as delay } from 'node:timers/promises';
import { type ThawError, toThawError } from '@thaw/common/errors/thaw-error.ts';
import { eventLine, type OutboxEvent } from '../core/event-log.ts';
import type { EventStream } from './ports.ts';

export interface Publisher {
  /** The outbox as it is stored; entries that are under way already are skipped. */
  offer(outbox: readonly OutboxEvent[]): void;
  /** The job is over without a broker: what is offered goes to the file only. */
  streamGone(): void;
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
  let takes: 'stream' | 'file' | 'none' = 'stream';

  /** Whether the stream has it. */
  const append = async (event: OutboxEvent): Promise<boolean> => {
    for (let attempt = 1; takes === 'stream'; attempt++) {
      try {
        await stream.append(event);
        return true;
      } catch (thrown) {
        const error = toThawError(thrown, 'BrokerLost');
        if (error.code === 'BrokerLost' && attempt < attemptsMax) await delay(retryMilliseconds);
        else if (takes === 'stream') {
          takes = 'file';
          handlers.failed(error);
        }
      }
    }
    return false;
  };

  const publish = async (event: OutboxEvent): Promise<void> => {
    const isPublished = await append(event);
    if (!isPublished && takes === 'file') {
      // After a gap nothing may follow; why the job ends has been said already.
      await stream.project(event).catch(() => {
        takes = 'none';
      });
    }
    kept.push(eventLine(event));
    if (kept.length > linesMax) dropped += kept.splice(0, kept.length - linesMax).length;
    if (isPublished) handlers.published(event);
  };

  return {
    offer(outbox) {
      for (const event of outbox) {
        if (event.sequence <= offered) continue;
        offered = event.sequence;
        work = work.then(() => publish(event));
      }
    },
    streamGone() {
      if (takes === 'stream') takes = 'file';
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
