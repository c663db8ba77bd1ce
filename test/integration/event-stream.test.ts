// The event log after a crash: a real JetStream, and a file whose last line was cut off.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, it } from 'node:test';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { connectBroker } from '@thaw/coordinator/adapters/broker.ts';
import { openEventStream } from '@thaw/coordinator/adapters/event-stream.ts';
import { continueLog, eventLine, type OutboxEvent, record } from '@thaw/coordinator/core/event-log.ts';
import { aPlan, Play } from '@thaw/coordinator/testing/builders.ts';
import { type NatsServer, natsServerFile, startNatsServer } from '../support/nats-server.ts';

const natsFile = natsServerFile();

let folder = '';
let nats: NatsServer | null = null;
let broker: NatsConnection | null = null;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'thaw-events-'));
  if (!natsFile) return;
  nats = await startNatsServer(natsFile, ['-js', '-sd', path.join(folder, 'jetstream')]);
  broker = await connectBroker(nats.url, 'test');
});

after(async () => {
  await broker?.close();
  await nats?.stop();
  await rm(folder, { recursive: true, force: true });
});

const event = (sequence: number): OutboxEvent => ({
  id: `1.${sequence}`,
  sequence,
  at: 0,
  entry: { kind: 'jobCancelled', reason: `event ${sequence}` },
});

const skip = natsFile ? false : 'nats-server is missing: run ./thaw doctor';
it('writes the event again whose line was cut off, and none that is there', { skip }, async () => {
  const file = path.join(folder, 'events.jsonl');
  const lines = [1, 2, 3].map((sequence) => `${eventLine(event(sequence))}\n`);
  await writeFile(file, `${lines[0]}${lines[1]?.slice(0, 20)}`);
  assert.ok(broker);
  const stream = await openEventStream(broker, 'TORN', file);
  assert.equal(stream.written, 1);
  for (const sequence of [1, 2, 3]) await stream.append(event(sequence));
  assert.equal(await readFile(file, 'utf8'), lines.join(''));
});

it('goes on after an end that only the file was told, with new numbers', { skip }, async () => {
  const file = path.join(folder, 'ended.jsonl');
  await writeFile(file, [1, 2, 3].map((sequence) => `${eventLine(event(sequence))}\n`).join(''));
  assert.ok(broker);
  const stream = await openEventStream(broker, 'ENDED', file);
  // Event 3 said that the broker was lost, so that nothing could be stored after event 2.
  const { state } = new Play(aPlan());
  const stored = { ...state, eventSequence: 2, outbox: [event(2)] };
  const resumed = record(continueLog(stored, stream.written), 0, { kind: 'jobCancelled', reason: 'after all' });
  for (const waiting of resumed.outbox) await stream.append(waiting);
  const sequences = (await readFile(file, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).sequence);
  assert.deepEqual(sequences, [1, 2, 3, 4]);
});

it('publishes no event again that the stream held before, however long ago', { skip }, async () => {
  assert.ok(broker);
  const [first, ...others] = [1, 2, 3].map(event) as [OutboxEvent, OutboxEvent, OutboxEvent];
  const file = path.join(folder, 'published.jsonl');
  await openEventStream(broker, 'PUBLISHED', file);
  // Without its id, as the stream holds it once it has forgotten the id; and the file never got it.
  await jetstream(broker).publish('thaw.PUBLISHED.events', eventLine(first));
  const stream = await openEventStream(broker, 'PUBLISHED', file);
  for (const waiting of [first, ...others]) await stream.append(waiting);
  const { streams } = await jetstreamManager(broker);
  assert.equal((await streams.info('thaw-events-PUBLISHED')).state.messages, 3);
  assert.equal((await readFile(file, 'utf8')).trim().split('\n').length, 3);
});
