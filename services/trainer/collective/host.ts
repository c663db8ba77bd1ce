// The collective's half in the comms thread: joins the pure exchange to NATS, the clock and the compute thread's port.
// It decides nothing about a step. Any error ends it: the compute thread is told once, and nothing is sent after that.

import type { MessagePort } from 'node:worker_threads';
import { type ThawError, toThawError } from '@thaw/common/errors/thaw-error.ts';
import { identity64, type RefusalReason } from '@thaw/proto/frames/frame.ts';
import { connectNats, type NatsClient } from '../nats/nats-client.ts';
import type { FromHost, ToHost } from './messages.ts';
import { type OpenExchange, openExchange } from './open-exchange.ts';

export interface CollectiveHostOptions {
  readonly natsUrl: string;
  readonly uid: string;
  /** 16 hex digits, first in every frame. */
  readonly runToken: string;
  /** 16 hex digits, this process. */
  readonly incarnation: string;
  readonly name: string;
  /** Names of the members without whom the step cannot go on, joined by ", "; empty when none. Called on change. */
  readonly onWaiting: (who: string) => void;
  /** Frames dropped for this reason since the last call; at most once a second for each reason. */
  readonly onRefused: (reason: RefusalReason, count: number) => void;
  /** How long a lost connection is tried again, in milliseconds; default 3000. */
  readonly reconnectMilliseconds?: number;
}

export interface CollectiveHost {
  /** Leaves the subjects and the broker; idempotent. */
  close(): Promise<void>;
}

/** Connects to NATS and serves the port. Throws BrokerLost; the port hears of it too. */
export async function startCollectiveHost(port: MessagePort, options: CollectiveHostOptions): Promise<CollectiveHost> {
  const tell = (message: FromHost): void => port.postMessage(message);
  let open: OpenExchange | null = null;
  let failed = false;
  const fail = (thrown: unknown): ThawError => {
    const error = toThawError(thrown);
    if (!failed) tell({ kind: 'failed', code: error.code, message: error.message });
    failed = true;
    open?.leave();
    open = null;
    return error;
  };
  const connect = async (): Promise<NatsClient> => {
    try {
      return await connectNats({
        url: options.natsUrl,
        name: options.name,
        onLost: fail,
        onDrain: () => open?.drained(),
        ...(options.reconnectMilliseconds === undefined
          ? {}
          : { reconnectMilliseconds: options.reconnectMilliseconds }),
      });
    } catch (thrown) {
      throw fail(thrown);
    }
  };
  const client = await connect();
  const identity = {
    uid: options.uid,
    runToken: identity64(options.runToken, 'run token'),
    incarnation: identity64(options.incarnation, 'incarnation'),
  };

  const receive = async (message: ToHost): Promise<void> => {
    if (failed) return;
    switch (message.kind) {
      case 'open': {
        open?.leave();
        await client.flush();
        const { onWaiting, onRefused } = options;
        open = openExchange(client, { ...identity, opening: message.opening, tell, fail, onWaiting, onRefused });
        await client.flush();
        return tell({ kind: 'opened', opening: message.opening.opening });
      }
      case 'begin':
        return open?.begin(message);
      case 'made':
        return open?.made(message);
      case 'close':
        open?.leave();
        open = null;
        // Without a connection nothing is left to leave: only held subscriptions are renewed.
        await client.flush().catch(() => {});
        return tell({ kind: 'closed' });
    }
  };
  port.on('message', (message: ToHost) => {
    receive(message).catch(fail);
  });

  let closing: Promise<void> | null = null;
  return {
    close() {
      closing ??= (async () => {
        open?.leave();
        open = null;
        await client.close();
        port.close();
      })();
      return closing;
    },
  };
}
