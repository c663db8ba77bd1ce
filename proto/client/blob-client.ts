// Moves blobs by digest. A fetch that breaks off is taken up again at the byte where it stopped, and nothing is handed
// out before its sha256 was checked. A store is checked against the digest that the other side answers.

import { createHash, type Hash } from 'node:crypto';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { type ServiceError, status } from '@grpc/grpc-js';
import { type Digest, digestOf } from '@thaw/common/content/digest.ts';
import type { ErrorCode } from '@thaw/common/errors/catalogue.ts';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { BlobsClient } from '../gen/thaw/v1/Blobs.ts';
import type { FetchChunk__Output } from '../gen/thaw/v1/FetchChunk.ts';
import type { StoreReply__Output } from '../gen/thaw/v1/StoreReply.ts';

export const blobChunkBytes = 512 * 1024;

/** Attempts without a single new byte before giving up. */
const idleAttemptsMax = 5;
const retryDelayMilliseconds = 200;

/** Throws BlobNotFound, BlobCorrupt, or CoordinatorLost when the peer cannot be reached. */
export async function fetchBlob(client: BlobsClient, digest: string): Promise<Uint8Array<ArrayBuffer>> {
  const blob: PartialBlob = { bytes: null, received: 0 };
  await retried(`fetching ${digest}`, {
    attempt: () => fetchFrom(client, digest, blob),
    received: () => blob.received,
  });
  const bytes = blob.bytes ?? new Uint8Array(0);
  const found = digestOf(bytes);
  if (found !== digest) {
    throw new ThawError('BlobCorrupt', `fetched ${bytes.length} bytes for ${digest}, but they have digest ${found}`);
  }
  return bytes;
}

/** Broken off, it starts again. Throws BlobCorrupt, StorageFailed, or CoordinatorLost when the peer cannot be reached. */
export async function storeBlob(
  client: BlobsClient,
  bytes: Uint8Array,
): Promise<{ readonly digest: Digest; readonly bytes: number }> {
  // Hashed chunk by chunk on the way: at once, a large state would hold up whatever else this thread has to do.
  const sending = { bytes, hash: createHash('sha256') };
  const reply = await retried(`storing ${bytes.length} bytes`, {
    attempt: () => {
      sending.hash = createHash('sha256');
      return sendAll(client, sending);
    },
    received: () => 0,
  });
  const digest = digestIn(sending.hash);
  if (reply.digest !== digest) {
    throw new ThawError('BlobCorrupt', `stored ${bytes.length} bytes as ${digest}; the store answered ${reply.digest}`);
  }
  return { digest, bytes: bytes.length };
}

/** The digest alone, with room for other work of this thread between two slices. */
export async function digestInSlices(bytes: Uint8Array): Promise<{ readonly digest: Digest; readonly bytes: number }> {
  const hash = createHash('sha256');
  for (let offset = 0; offset < bytes.length; offset += blobChunkBytes) {
    hash.update(bytes.subarray(offset, offset + blobChunkBytes));
    await nextTurn();
  }
  return { digest: digestIn(hash), bytes: bytes.length };
}

function digestIn(hash: Hash): Digest {
  return `sha256:${hash.digest('hex')}`;
}

interface Attempts<T> {
  attempt(): Promise<T>;
  /** Bytes that no later attempt asks for again. */
  received(): number;
}

/** Tries again after a transient failure, up to idleAttemptsMax times without a new byte. */
async function retried<T>(what: string, { attempt, received }: Attempts<T>): Promise<T> {
  let idleAttempts = 0;
  for (;;) {
    const before = received();
    try {
      return await attempt();
    } catch (thrown) {
      idleAttempts = received() > before ? 0 : idleAttempts + 1;
      if (!isTransient(thrown) || idleAttempts >= idleAttemptsMax) throw asThawError(thrown, what);
      await delay(retryDelayMilliseconds);
    }
  }
}

interface PartialBlob {
  bytes: Uint8Array<ArrayBuffer> | null;
  received: number;
}

async function fetchFrom(client: BlobsClient, digest: string, blob: PartialBlob): Promise<void> {
  const call = client.fetch({ digest, offset: blob.received });
  for await (const chunk of call as AsyncIterable<FetchChunk__Output>) {
    blob.bytes ??= new Uint8Array(chunk.totalBytes);
    const end = blob.received + chunk.data.length;
    if (chunk.offset !== blob.received || end > blob.bytes.length) {
      call.cancel();
      throw new ThawError(
        'ProtocolViolation',
        `${digest}: a chunk of ${chunk.data.length} bytes at ${chunk.offset}; expected ${blob.received} of ${blob.bytes.length}`,
      );
    }
    blob.bytes.set(chunk.data, blob.received);
    blob.received = end;
  }
  if (blob.bytes && blob.received < blob.bytes.length) {
    throw new ThawError('BlobCorrupt', `${digest}: ended after ${blob.received} of ${blob.bytes.length} bytes`);
  }
}

function sendAll(
  client: BlobsClient,
  { bytes, hash }: { readonly bytes: Uint8Array; readonly hash: Hash },
): Promise<StoreReply__Output> {
  return new Promise((resolve, reject) => {
    let settled = false;
    const call = client.store((error, reply) => {
      settled = true;
      if (error) reject(error);
      else if (reply) resolve(reply);
    });
    // The callback tells the cause; without a listener the stream's own error would end the process.
    call.on('error', () => undefined);
    let offset = 0;
    const pump = (): void => {
      while (offset < bytes.length && !settled) {
        const end = Math.min(offset + blobChunkBytes, bytes.length);
        hash.update(bytes.subarray(offset, end));
        const more = call.write({ data: Buffer.from(bytes.buffer, bytes.byteOffset + offset, end - offset) });
        offset = end;
        if (!more) {
          call.once('drain', pump);
          return;
        }
      }
      call.end();
    };
    pump();
  });
}

const codeOfStatus: Partial<Record<status, ErrorCode>> = {
  [status.NOT_FOUND]: 'BlobNotFound',
  [status.DATA_LOSS]: 'BlobCorrupt',
  [status.RESOURCE_EXHAUSTED]: 'StorageFailed',
};

function asThawError(thrown: unknown, what: string): ThawError {
  if (thrown instanceof ThawError) return thrown;
  const { code, details, message } = thrown as Partial<ServiceError>;
  const known = code === undefined ? undefined : codeOfStatus[code];
  return new ThawError(known ?? 'CoordinatorLost', `${what}: ${details ?? message}`, { cause: thrown });
}

function isTransient(thrown: unknown): boolean {
  const { code } = thrown as Partial<ServiceError>;
  return code === status.UNAVAILABLE || code === status.INTERNAL || code === status.CANCELLED;
}
