// The job's event log: a JetStream stream, and OUT/events.jsonl as its projection, one line an event. What either holds is
// read from its last event when it is opened, so that neither repeats nor misses one; a publishing that is tried again is
// known to the stream by the event's id, for two minutes. A line that a crash has cut off is taken away, and its event
// written again.

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
  let streamed = await openStream(broker, `thaw-events-${uid}`, subject).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ThawError('BrokerLost', `nats-server refused the job's event stream: ${reason}`, { cause });
  });
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
      if (event.sequence > streamed) await client.publish(subject, eventLine(event), { msgID: event.id });
      streamed = Math.max(streamed, event.sequence);
      await project(event);
    },
    project,
    written: found,
  };
}

/** Sequence of the newest event that the stream holds; 0 when there is none. */
async function openStream(broker: NatsConnection, name: string, subject: string): Promise<number> {
  const manager = await jetstreamManager(broker, { timeout: requestMilliseconds });
  await manager.streams.add({
    name,
    subjects: [subject],
    storage: StorageType.File,
    max_msgs: streamEventsMax,
    discard: DiscardPolicy.Old,
  });
  const newest = await manager.streams.getMessage(name, { last_by_subj: subject });
  return newest ? sequenceOf(newest.string()) : 0;
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
  return line === '' ? 0 : sequenceOf(line);
}

function sequenceOf(line: string): number {
  return (JSON.parse(line) as { sequence: number }).sequence;
}
