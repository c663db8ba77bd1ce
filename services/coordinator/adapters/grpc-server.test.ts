// The server over real gRPC: a peer that sends more than the limit gets a named status, in both directions, and closing
// cuts nobody who is still reading.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, it } from 'node:test';
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { channelOptions, connectJobs } from '@thaw/proto/client/connect.ts';
import type { JobsClient } from '@thaw/proto/gen/thaw/v1/Jobs.ts';
import { loadThawProto } from '@thaw/proto/load.ts';
import { messageBytesMax } from '@thaw/proto/message-size.ts';
import { type GrpcServer, startGrpcServer } from './grpc-server.ts';
import { createJobsService } from './jobs-service.ts';

const tooLong = 'x'.repeat(messageBytesMax + 1);
let server: GrpcServer;
let cancelled = 0;
let client: JobsClient;

before(async () => {
  const jobs = createJobsService({
    status: () => ({ name: 'digits' }),
    events: () => ({ lines: [], next: 0 }),
    ended: () => false,
    cancel: () => {
      cancelled += 1;
    },
    scale: () => null,
    exited: () => undefined,
  });
  server = await startGrpcServer('127.0.0.1:0', {
    session: { Open: (stream) => stream.end() },
    blobs: { Fetch: (call) => call.end(), Store: (_, reply) => reply(null, {}) },
    jobs,
    healthy: () => true,
  });
  client = connectJobs(`127.0.0.1:${server.port}`);
});
after(async () => {
  client.close();
  await server.close();
});

function cancelWith(jobs: JobsClient, reason: string): Promise<ServiceError | null> {
  return new Promise((resolve) => jobs.cancel({ reason }, (error) => resolve(error)));
}

it('is kept by our own clients before anything is sent', async () => {
  assert.equal(await cancelWith(client, 'short'), null);
  const error = await cancelWith(client, tooLong);
  assert.equal(error?.code, status.RESOURCE_EXHAUSTED);
  assert.match(error.details, /Attempted to send message/);
  assert.equal(cancelled, 1);
});

it('is kept by the server against a client that does not', async () => {
  const careless = new (loadThawProto().Jobs)(`127.0.0.1:${server.port}`, credentials.createInsecure(), {
    ...channelOptions,
    'grpc.max_send_message_length': -1,
  });
  try {
    const error = await cancelWith(careless, tooLong);
    assert.equal(error?.code, status.RESOURCE_EXHAUSTED);
    assert.match(error.details, /Received message larger than max/);
    assert.equal(cancelled, 1);
  } finally {
    careless.close();
  }
});

it('lets a watcher read its last update before it closes', async () => {
  const line = 'x'.repeat(2 ** 20);
  const closing = await startGrpcServer('127.0.0.1:0', {
    session: { Open: (stream) => stream.end() },
    blobs: { Fetch: (call) => call.end(), Store: (_, reply) => reply(null, {}) },
    jobs: createJobsService({
      status: () => ({ state: 'Succeeded' }),
      events: (from) => ({ lines: from === 0 ? new Array<string>(20).fill(line) : [], next: 20 }),
      ended: () => true,
      cancel: () => undefined,
      scale: () => null,
      exited: () => undefined,
    }),
    healthy: () => true,
  });
  const watcher = connectJobs(`127.0.0.1:${closing.port}`);
  const stream = watcher.watch({});
  let lines = 0;
  let closed: Promise<void> | null = null;
  stream.on('metadata', () => {
    closed = closing.close();
  });
  stream.on('data', ({ events }) => {
    lines += events.length;
  });
  try {
    await once(stream, 'end');
    assert.equal(lines, 20);
    await closed;
  } finally {
    watcher.close();
  }
});
