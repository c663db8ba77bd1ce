// The job's event log: a JetStream stream, and OUT/events.jsonl as its projection, one line an event. The stream drops
// an id that it holds; the file's own last line says what it holds, so that neither repeats nor misses an event. A line
// that a crash has cut off is taken away, and its event written again.

import { open, readFile, truncate } from 'node:fs/promises';
import { DiscardPolicy, jetstream, jetstreamManager, StorageType } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { eventLine, type OutboxEvent } from '../core/event-log.ts';
import type { EventStream } from '../runtime/ports.ts';
import { storageFailed } from './storage-failure.ts';

/** Past this many events the oldest go; the file keeps them. */
const streamEventsMax = 100_000;
const requestMilliseconds = 1000;

export interface OpenEventStream extends EventStream {
  /** Sequence of the newest event that the file held when it was opened. */
  readonly written: number;
}

export async function openEventStream(broker: NatsConnection, uid: string, file: string): Promise<OpenEventStream> {
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
  const found = await lastSequence(file);
  let written = found;
  const project = async (event: OutboxEvent): Promise<void> => {
    if (event.sequence <= written) return;
    await appendSynced(file, `${eventLine(event)}\n`).catch((thrown: unknown) => {
      throw storageFailed(thrown, file, 'writing the event log');
    });
    written = event.sequence;
  };
  return {
    async append(event) {
      await client.publish(subject, eventLine(event), { msgID: event.id });
      await project(event);
    },
    project,
    written: found,
  };
}

/** Events are rare, and the stream forgets that one was missing as soon as it is said to be published. */
async function appendSynced(file: string, text: string): Promise<void> {
  const handle = await open(file, 'a');
  try {
    await handle.writeFile(text);
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

/** Sequence of the file's last whole line; 0 when there is none. What follows it is cut off. */
async function lastSequence(file: string): Promise<number> {
  const bytes = await readFile(file).catch(() => Buffer.alloc(0));
  const end = bytes.lastIndexOf('\n') + 1;
  if (end < bytes.length) await truncate(file, end);
  const line = bytes.subarray(0, end).toString('utf8').trimEnd().split('\n').at(-1) ?? '';
  return line === '' ? 0 : (JSON.parse(line) as { sequence: number }).sequence;
}
