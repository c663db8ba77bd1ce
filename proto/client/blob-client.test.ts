// Over a real gRPC server on loopback that misbehaves the way networks and disks do.

import assert from 'node:assert/strict';
import { afterEach, it } from 'node:test';
import { type handleServerStreamingCall, Server, ServerCredentials, status } from '@grpc/grpc-js';
import { digestOf } from '@thaw/common/content/digest.ts';
import type { BlobsClient, BlobsHandlers } from '../gen/thaw/v1/Blobs.ts';
import type { FetchChunk } from '../gen/thaw/v1/FetchChunk.ts';
import type { FetchRequest__Output } from '../gen/thaw/v1/FetchRequest.ts';
import type { StoreChunk__Output } from '../gen/thaw/v1/StoreChunk.ts';
import { loadThawProto } from '../load.ts';
import { blobChunkBytes, fetchBlob, storeBlob } from './blob-client.ts';
import { connectBlobs } from './connect.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

type Fetch = handleServerStreamingCall<FetchRequest__Output, FetchChunk>;

const noFetch: Fetch = (call) => call.end();

interface Misbehaviour {
  readonly fetch?: Fetch;
  /** Digest that a store answers. */
  readonly answer?: string;
  /** Asked before each store; null lets it through. */
  readonly refuse?: () => { readonly code: status; readonly details: string } | null;
}

async function clientOf({ fetch = noFetch, answer, refuse }: Misbehaviour): Promise<BlobsClient> {
  const server = new Server({ 'grpc.max_receive_message_length': -1 });
  const handlers: BlobsHandlers = {
    Fetch: fetch,
    Store: async (call, reply) => {
      const refusal = refuse?.() ?? null;
      if (refusal) return reply(refusal);
      const chunks: Buffer[] = [];
      for await (const { data } of call as AsyncIterable<StoreChunk__Output>) chunks.push(data);
      const bytes = Buffer.concat(chunks);
      reply(null, { digest: answer ?? digestOf(bytes), bytes: bytes.length });
    },
  };
  server.addService(loadThawProto().Blobs.service, handlers);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  const client = connectBlobs(`127.0.0.1:${port}`);
  closing.push(
    () => client.close(),
    () => server.forceShutdown(),
  );
  return client;
}

const blob = Buffer.from(Array.from({ length: 3000 }, (_, i) => i % 251));

it('takes up a broken fetch at the byte where it stopped', async () => {
  const offsets: number[] = [];
  const client = await clientOf({
    fetch(call) {
      const { offset } = call.request;
      offsets.push(offset);
      const data = blob.subarray(offset, offset + 1000);
      call.write({ offset, data, totalBytes: blob.length });
      if (offset + 1000 < blob.length) call.emit('error', { code: status.UNAVAILABLE, details: 'cut' });
      else call.end();
    },
  });
  assert.deepEqual(Buffer.from(await fetchBlob(client, digestOf(blob))), blob);
  assert.deepEqual(offsets, [0, 1000, 2000]);
});

it('hands out nothing whose digest is wrong', async () => {
  const client = await clientOf({
    fetch(call) {
      call.write({ offset: 0, data: blob, totalBytes: blob.length });
      call.end();
    },
  });
  await assert.rejects(fetchBlob(client, digestOf('another')), { code: 'BlobCorrupt' });
});

it('names a blob that is not there, and does not try again', async () => {
  let calls = 0;
  const client = await clientOf({
    fetch(call) {
      calls += 1;
      call.emit('error', { code: status.NOT_FOUND, details: 'sha256:x is not in the store' });
    },
  });
  await assert.rejects(fetchBlob(client, digestOf('x')), { code: 'BlobNotFound', message: /is not in the store/ });
  assert.equal(calls, 1);
});

it('fetches an empty blob', async () => {
  const client = await clientOf({
    fetch(call) {
      call.write({ offset: 0, data: Buffer.alloc(0), totalBytes: 0 });
      call.end();
    },
  });
  assert.equal((await fetchBlob(client, digestOf(''))).length, 0);
});

it('stores more than one chunk, and a view into a larger buffer', async () => {
  const client = await clientOf({});
  const large = new Uint8Array(blobChunkBytes * 3 + 17).map((_, i) => i % 256);
  assert.deepEqual(await storeBlob(client, large), { digest: digestOf(large), bytes: large.length });
  const view = large.subarray(5, 105);
  assert.equal((await storeBlob(client, view)).digest, digestOf(view));
});

it('starts a broken store anew, and gives up after as many tries as a fetch', async () => {
  for (const { failures, stored, calls: expected } of [
    { failures: 3, stored: true, calls: 4 },
    { failures: 100, stored: false, calls: 5 },
  ]) {
    let calls = 0;
    const client = await clientOf({
      refuse: () => (++calls <= failures ? { code: status.UNAVAILABLE, details: 'going down' } : null),
    });
    if (stored) assert.equal((await storeBlob(client, blob)).digest, digestOf(blob));
    else await assert.rejects(storeBlob(client, blob), { code: 'CoordinatorLost', message: /going down/ });
    assert.equal(calls, expected);
  }
});

it('does not try again where the disk is full', async () => {
  let calls = 0;
  const client = await clientOf({
    refuse() {
      calls += 1;
      return { code: status.RESOURCE_EXHAUSTED, details: 'no space' };
    },
  });
  await assert.rejects(storeBlob(client, blob), { code: 'StorageFailed' });
  assert.equal(calls, 1);
});

it('does not believe a store that answers another digest', async () => {
  const client = await clientOf({ answer: digestOf('another') });
  await assert.rejects(storeBlob(client, blob), { code: 'BlobCorrupt' });
});
