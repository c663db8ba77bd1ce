// Blobs over gRPC: fetched from any offset, stored in chunks, hashed at this end too.

import { once } from 'node:events';
import { type ServerReadableStream, type ServerWritableStream, type sendUnaryData, status } from '@grpc/grpc-js';
import type { ErrorCode } from '@thaw/common/errors/catalogue.ts';
import { toThawError } from '@thaw/common/errors/thaw-error.ts';
import type { BlobsHandlers } from '@thaw/proto/gen/thaw/v1/Blobs.ts';
import type { FetchChunk } from '@thaw/proto/gen/thaw/v1/FetchChunk.ts';
import type { FetchRequest__Output } from '@thaw/proto/gen/thaw/v1/FetchRequest.ts';
import type { StoreChunk__Output } from '@thaw/proto/gen/thaw/v1/StoreChunk.ts';
import type { StoreReply } from '@thaw/proto/gen/thaw/v1/StoreReply.ts';
import type { BlobStore } from './blob-store.ts';

export interface BlobTraffic {
  served(bytes: number): void;
  stored(bytes: number): void;
  /** The store cannot take more: disk full, no permission. */
  failed(error: Error): void;
}

export function createBlobService(store: BlobStore, traffic: BlobTraffic): BlobsHandlers {
  return {
    Fetch: (call) => void fetch(call, store, traffic),
    Store: (call, reply) => void receive(call, reply, store, traffic),
  };
}

async function fetch(
  call: ServerWritableStream<FetchRequest__Output, FetchChunk>,
  store: BlobStore,
  traffic: BlobTraffic,
): Promise<void> {
  const { digest, offset: start } = call.request;
  try {
    const totalBytes = await store.verify(digest);
    let offset = start;
    if (offset >= totalBytes) call.write({ offset, data: Buffer.alloc(0), totalBytes });
    for await (const data of offset < totalBytes ? store.stream(digest, offset) : []) {
      if (call.cancelled) return;
      const more = call.write({ offset, data, totalBytes });
      offset += data.length;
      traffic.served(data.length);
      if (!more) await Promise.race([once(call, 'drain'), once(call, 'cancelled')]);
    }
    call.end();
  } catch (thrown) {
    call.emit('error', asStatus(thrown));
  }
}

async function receive(
  call: ServerReadableStream<StoreChunk__Output, StoreReply>,
  reply: sendUnaryData<StoreReply>,
  store: BlobStore,
  traffic: BlobTraffic,
): Promise<void> {
  try {
    const writer = await store.writer();
    try {
      for await (const { data } of call as AsyncIterable<StoreChunk__Output>) await writer.write(data);
    } catch (thrown) {
      await writer.abort();
      throw thrown;
    }
    if (call.cancelled) return await writer.abort();
    const { digest, bytes } = await writer.finish();
    traffic.stored(bytes);
    reply(null, { digest, bytes });
  } catch (thrown) {
    const error = toThawError(thrown);
    if (error.code === 'StorageFailed') traffic.failed(error);
    reply(asStatus(thrown));
  }
}

const statusOfCode: Partial<Record<ErrorCode, status>> = {
  BlobNotFound: status.NOT_FOUND,
  BlobCorrupt: status.DATA_LOSS,
  StorageFailed: status.RESOURCE_EXHAUSTED,
};

function asStatus(thrown: unknown): { readonly name: string; readonly message: string; code: status; details: string } {
  const { name, code, message } = toThawError(thrown);
  return { name, message, code: statusOfCode[code] ?? status.INTERNAL, details: message };
}
