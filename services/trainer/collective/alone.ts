// The collective of a process that is the only member, for what trains outside of a job: the same exchange, scale and
// integers as everywhere, served in the compute thread, without a broker.

import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { assertNever, ThawError, toThawError } from '@thaw/common/errors/thaw-error.ts';
import type { NatsClient } from '../nats/nats-client.ts';
import { collectiveClient } from './client.ts';
import type { Collective, Generation } from './collective.ts';
import type { FromHost, ToHost } from './messages.ts';
import { type OpenExchange, openExchange } from './open-exchange.ts';

const incarnation = '0000000000000001';

/** One member that hosts every shard. */
export function generationAlone(shards: number, name: string): Generation {
  const shardOwners = Array.from({ length: shards }, () => 0);
  return { number: 1, members: [{ incarnation, name }], shardOwners, firstStep: 1 };
}

/** For generations of one member. Throws EngineUnavailable, see loadVectorKernels. */
export function collectiveAlone(): Collective {
  const { port1, port2 } = new MessageChannel();
  serveAlone(port2);
  return collectiveClient(port1);
}

/** The other end of a collectiveClient's port. */
export function serveAlone(port: MessagePort): void {
  const tell = (message: FromHost): void => port.postMessage(message);
  const fail = (thrown: unknown): void => {
    const { code, message } = toThawError(thrown);
    tell({ kind: 'failed', code, message });
  };
  let open: OpenExchange | null = null;
  const receive = (message: ToHost): void => {
    switch (message.kind) {
      case 'open':
        open?.leave();
        open = openExchange(noBroker, {
          uid: 'alone',
          runToken: 0n,
          incarnation: BigInt(`0x${incarnation}`),
          opening: message.opening,
          tell,
          fail,
          onWaiting: () => undefined,
          onRefused: () => undefined,
        });
        tell({ kind: 'opened', opening: message.opening.opening });
        break;
      case 'begin':
        open?.begin(message);
        break;
      case 'made':
        open?.made(message);
        break;
      case 'close':
        open?.leave();
        open = null;
        tell({ kind: 'closed' });
        break;
      default:
        assertNever(message, 'message');
    }
  };
  port.on('message', (message: ToHost) => {
    try {
      receive(message);
    } catch (thrown) {
      fail(thrown);
    }
  });
  // Whoever waits for an answer holds the other end.
  port.unref();
}

/** One member has nobody to send to: a frame is a defect. */
const noBroker: NatsClient = {
  maxPayload: 0,
  pendingBytes: () => 0,
  publish: () => nobody(),
  subscribe: () => nobody(),
  flush: async () => undefined,
  close: async () => undefined,
};

function nobody(): never {
  throw new ThawError('Internal', 'a member that is alone sent or awaited a frame');
}
