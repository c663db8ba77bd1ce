// Keeps one control stream to the coordinator open: reconnects with back-off, hands every message to the session, and
// says when the coordinator has been away for too long.

import type { SessionClient } from '@thaw/proto/gen/thaw/v1/Session.ts';
import type { Session } from './session.ts';

/** Without a coordinator for this long a trainer gives up. */
const giveUpSeconds = 10;
const firstRetryMilliseconds = 100;
const lastRetryMilliseconds = 1000;
/** At the end, how long to wait for the other side to take what was written. */
const closeMilliseconds = 1000;

export interface StreamEvents {
  lost(reason: string): void;
  givenUp(seconds: number, reason: string): void;
}

export interface OpenStream {
  /** Half-closes after everything written has left, and stops reconnecting. */
  close(): Promise<void>;
}

export function keepSessionOpen(client: SessionClient, session: Session, events: StreamEvents): OpenStream {
  let closing = false;
  let call: ReturnType<SessionClient['open']> | null = null;
  let awaySince = performance.now();
  let retryMilliseconds = firstRetryMilliseconds;
  let retry: NodeJS.Timeout | undefined;

  const ended = (reason: string): void => {
    if (call === null) return;
    call = null;
    if (session.connected()) {
      session.lost();
      awaySince = performance.now();
      if (!closing) events.lost(reason);
    }
    if (closing) return;
    if (performance.now() - awaySince > giveUpSeconds * 1000) {
      events.givenUp(giveUpSeconds, reason);
      return;
    }
    retry = setTimeout(open, retryMilliseconds);
    retryMilliseconds = Math.min(2 * retryMilliseconds, lastRetryMilliseconds);
  };

  const open = (): void => {
    const opened = client.open();
    call = opened;
    opened.on('metadata', () => {
      retryMilliseconds = firstRetryMilliseconds;
    });
    opened.on('data', (message) => session.received(message));
    opened.on('error', (error: Error) => {
      if (call === opened) ended(error.message);
    });
    opened.on('end', () => {
      if (call === opened) ended('the coordinator ended the stream');
    });
    client.waitForReady(Date.now() + giveUpSeconds * 1000, (error) => {
      if (call !== opened) return;
      if (error) ended(error.message);
      else session.opened({ send: (message) => opened.write(message), end: () => opened.end() });
    });
  };
  open();

  return {
    async close() {
      closing = true;
      clearTimeout(retry);
      const last = call;
      if (last) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, closeMilliseconds);
          last.once('end', () => {
            clearTimeout(timer);
            resolve();
          });
          last.once('error', () => {
            clearTimeout(timer);
            resolve();
          });
          last.end();
        });
      }
      client.close();
    },
  };
}
