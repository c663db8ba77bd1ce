// A NATS client for bulk frames: plain subscriptions, payloads read in place and written from where they lie, and the
// socket's own back-pressure. A lost connection is tried again for a few seconds and subscriptions are renewed; what
// was published meanwhile is dropped, never queued. What it cannot heal is said once, as BrokerLost.

import { setTimeout as delay } from 'node:timers/promises';
import { ThawError, toThawError } from '@thaw/common/errors/thaw-error.ts';
import { type Connection, connectOnce } from './connection.ts';
import { parseServerAddress } from './server-address.ts';

export interface NatsClientOptions {
  /** nats://[user:password@]host[:port] */
  readonly url: string;
  /** Shown by the broker's own tools. */
  readonly name: string;
  /** The connection is gone for good; called once, never after close(). */
  onLost(error: ThawError): void;
  /** Written bytes have left: a sender that waited may go on. */
  onDrain(): void;
  /** How long to try again, in milliseconds; default 3000. Longer only where the broker may restart. */
  readonly reconnectMilliseconds?: number;
}

export interface NatsClient {
  /** Largest message that the broker takes, in bytes. */
  readonly maxPayload: number;
  /** Bytes given to publish that the kernel has not taken yet. */
  pendingBytes(): number;
  /** False when there is no connection: the message is dropped. `parts` must stay unchanged until it has left. */
  publish(subject: string, parts: readonly Uint8Array[]): boolean;
  /** The payload is aligned to 8 bytes and valid only during the call. Returns what ends the subscription. */
  subscribe(subject: string, onMessage: (payload: Uint8Array) => void): () => void;
  /** Resolves when the broker has seen everything before: a PING/PONG round trip. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

interface Subscription {
  readonly subject: string;
  onMessage(payload: Uint8Array): void;
}

interface State {
  readonly options: NatsClientOptions;
  readonly subscriptions: Map<number, Subscription>;
  connection: Connection | null;
  closed: boolean;
}

const retryMilliseconds = 100;

/** Connects, trying for the same time as after a loss. Throws BrokerLost. */
export async function connectNats(options: NatsClientOptions): Promise<NatsClient> {
  const state: State = { options, subscriptions: new Map(), connection: null, closed: false };
  await connect(state, null);
  const maxPayload = state.connection?.maxPayload ?? 0;
  let nextId = 1;
  return {
    maxPayload,
    pendingBytes: () => state.connection?.pendingBytes() ?? 0,
    publish(subject, parts) {
      if (!state.connection) return false;
      state.connection.publish(subject, parts);
      return true;
    },
    subscribe(subject, onMessage) {
      const id = nextId++;
      state.subscriptions.set(id, { subject, onMessage });
      state.connection?.send(`SUB ${subject} ${id}\r\n`);
      return () => {
        if (state.subscriptions.delete(id)) state.connection?.send(`UNSUB ${id}\r\n`);
      };
    },
    flush: () => state.connection?.flush() ?? Promise.reject(new ThawError('BrokerLost', 'no connection to NATS')),
    async close() {
      state.closed = true;
      await state.connection?.close();
      state.connection = null;
    },
  };
}

/** Tries until the time is over; the last reason is the one given. */
async function connect(state: State, lostBecause: ThawError | null): Promise<void> {
  const { url, name, onDrain, reconnectMilliseconds = 3000 } = state.options;
  const address = parseServerAddress(url);
  const where = `NATS at ${address.host}:${address.port}`;
  const start = performance.now();
  for (;;) {
    try {
      const connection = await connectOnce(address, {
        name,
        onMessage: (id, payload) => state.subscriptions.get(id)?.onMessage(payload),
        onDrain,
        onLost: (error) => lost(state, error),
      });
      if (state.closed) return connection.close();
      state.connection = connection;
      for (const [id, { subject }] of state.subscriptions) connection.send(`SUB ${subject} ${id}\r\n`);
      if (lostBecause) onDrain();
      return;
    } catch (thrown) {
      const error = toThawError(thrown, 'BrokerLost');
      const seconds = (performance.now() - start) / 1000;
      if (state.closed) return;
      if (error.data.fatal || seconds * 1000 > reconnectMilliseconds) {
        const before = lostBecause ? `${lostBecause.message}; then ` : '';
        const message = `${where}: ${before}not reachable for ${seconds.toFixed(1)} s: ${error.message}`;
        throw new ThawError('BrokerLost', message, { cause: error });
      }
      await delay(retryMilliseconds);
    }
  }
}

function lost(state: State, error: ThawError): void {
  if (state.closed) return;
  state.connection = null;
  if (error.data.fatal) {
    state.closed = true;
    state.options.onLost(error);
    return;
  }
  connect(state, error).catch((thrown: unknown) => {
    state.closed = true;
    state.options.onLost(toThawError(thrown, 'BrokerLost'));
  });
}
