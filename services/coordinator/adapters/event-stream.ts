// The job's event log: a JetStream stream, and OUT/events.jsonl as its projection, one line an event. The stream drops
// an id that it holds; a line is written after the stream's acknowledgement.

import { appendFile } from 'node:fs/promises';
import { DiscardPolicy, jetstream, jetstreamManager, StorageType } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { eventLine } from '../core/event-log.ts';
import type { EventStream } from '../runtime/ports.ts';
import { storageFailed } from './storage-failure.ts';

/** Past this many events the oldest go; the file keeps them. */
const streamEventsMax = 100_000;
const requestMilliseconds = 2000;

export async function openEventStream(broker: NatsConnection, uid: string, file: string): Promise<EventStream> {
  const subject = `thaw.${uid}.events`;
  try {
    const manager = await jetstreamManager(broker, { timeout: requestMilliseconds });
    await manager.streams.add({
      name: `thaw-events-${uid}`,
      subjects: [subject],
      storage: StorageType.File,
      max_msgs: streamEventsMax,
      discard: DiscardPolicy.Old,
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ThawError('BrokerLost', `nats-server refused the job's event stream: ${reason}`, { cause });
  }
  const client = jetstream(broker, { timeout: requestMilliseconds });
  return {
    async append(event) {
      const line = eventLine(event);
      const { duplicate } = await client.publish(subject, line, { msgID: event.id });
      if (duplicate) return;
      await appendFile(file, `${line}\n`).catch((thrown: unknown) => {
        throw storageFailed(thrown, file, 'writing the event log');
      });
    },
  };
}
