// Blobs on disk, one file each, named by digest. A blob is written under a temporary name, hashed on the way, fsynced,
// read back and renamed; before one is handed out for the first time in a process's life, its digest is checked again, and a torn
// or changed file is removed and reported.

import { createHash, type Hash } from 'node:crypto';
import { createReadStream, rmSync } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { type Digest, digestOf, fileNameOf } from '@thaw/common/content/digest.ts';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { storageFailed } from './storage-failure.ts';
import { putInPlace, temporaryName, temporarySuffix } from './write-file.ts';

export interface BlobStore {
  put(bytes: Uint8Array | string): Promise<Digest>;
  writer(): Promise<BlobWriter>;
  /** Length in bytes of a verified blob. Throws BlobNotFound or BlobCorrupt. */
  verify(digest: string): Promise<number>;
  read(digest: string): Promise<Uint8Array>;
  /** Bytes from `offset` on, in chunks. Verify first. */
  stream(digest: string, offset: number): AsyncIterable<Buffer>;
  /**
   * What removes the blob, which is useless now, unless it is stored again before: equal states are equal blobs, and
   * whoever stores one again will name it.
   */
  remover(digest: string): () => Promise<void>;
  /** Removes every blob but these. */
  removeOthers(kept: ReadonlySet<string>): Promise<void>;
}

export interface BlobWriter {
  write(chunk: Uint8Array): Promise<void>;
  finish(): Promise<{ readonly digest: Digest; readonly bytes: number }>;
  abort(): Promise<void>;
}

const streamChunkBytes = 512 * 1024;

const digestForm = /^sha256:[0-9a-f]{64}$/;

export function diskBlobStore(directory: string): BlobStore {
  const verified = new Map<string, number>();
  const stored = new Map<string, number>();
  const storing = (digest: string): void => void stored.set(digest, (stored.get(digest) ?? 0) + 1);
  const fileOf = (digest: string): string => {
    if (!digestForm.test(digest)) {
      throw new ThawError('BlobNotFound', `found "${digest.slice(0, 100)}"; expected sha256: and 64 hex digits`);
    }
    return path.join(directory, fileNameOf(digest));
  };

  const verify = async (digest: string): Promise<number> => {
    const known = verified.get(digest);
    if (known !== undefined) return known;
    const file = fileOf(digest);
    const { found, bytes } = await digestOfFile(file).catch((thrown: unknown) => {
      throw readFailure(thrown, digest, file);
    });
    if (found !== digest) {
      await rm(file, { force: true });
      throw new ThawError('BlobCorrupt', `${file} has digest ${found}, and was removed; expected ${digest}`);
    }
    verified.set(digest, bytes);
    return bytes;
  };

  const writer = async (): Promise<BlobWriter> => {
    const temporary = temporaryName(path.join(directory, 'incoming'));
    try {
      await mkdir(directory, { recursive: true });
      return fileWriter({ temporary, handle: await open(temporary, 'wx'), fileOf, verified, storing });
    } catch (thrown) {
      throw storageFailed(thrown, directory, 'storing a blob');
    }
  };

  return {
    writer,
    verify,
    async put(bytes) {
      const content = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
      const digest = digestOf(content);
      storing(digest);
      if (await isThere(fileOf(digest), content.length)) return digest;
      const file = await writer();
      await file.write(content);
      return (await file.finish()).digest;
    },
    async read(digest) {
      await verify(digest);
      const buffer = await readFile(fileOf(digest)).catch((thrown: unknown) => {
        throw readFailure(thrown, digest, fileOf(digest));
      });
      // A plain view: Buffer's own slice() shares memory where Uint8Array's copies.
      return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    },
    stream: (digest, offset) =>
      createReadStream(fileOf(digest), { start: offset, highWaterMark: streamChunkBytes }) as AsyncIterable<Buffer>,
    remover(digest) {
      const before = stored.get(digest);
      return async () => {
        if (stored.get(digest) !== before) return;
        verified.delete(digest);
        // At once: nobody can begin to store it between the look and the removal.
        rmSync(fileOf(digest), { force: true });
      };
    },
    async removeOthers(kept) {
      const names = new Set([...kept].map(fileNameOf));
      for (const name of await readdir(directory).catch(() => [])) {
        // What is being written belongs to whoever writes it.
        if (!names.has(name) && !name.endsWith(temporarySuffix)) await rm(path.join(directory, name), { force: true });
      }
      for (const digest of verified.keys()) if (!kept.has(digest)) verified.delete(digest);
    },
  };
}

interface WriterParts {
  readonly temporary: string;
  readonly handle: FileHandle;
  readonly fileOf: (digest: string) => string;
  readonly verified: Map<string, number>;
  /** Told before the blob is in its place. */
  readonly storing: (digest: string) => void;
}

function fileWriter({ temporary, handle, fileOf, verified, storing }: WriterParts): BlobWriter {
  const hash: Hash = createHash('sha256');
  let bytes = 0;
  const abort = async (): Promise<void> => {
    await handle.close().catch(() => undefined);
    await rm(temporary, { force: true }).catch(() => undefined);
  };
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (thrown) {
      await abort();
      throw storageFailed(thrown, temporary, 'storing a blob');
    }
  };
  return {
    abort,
    write: (chunk) =>
      guarded(async () => {
        hash.update(chunk);
        bytes += chunk.length;
        await handle.writeFile(chunk);
      }),
    finish: () =>
      guarded(async () => {
        await handle.sync();
        await handle.close();
        const digest: Digest = `sha256:${hash.digest('hex')}`;
        const { found } = await digestOfFile(temporary);
        if (found !== digest) {
          throw new ThawError('BlobCorrupt', `${temporary} reads back with digest ${found}; expected ${digest}`);
        }
        storing(digest);
        await putInPlace(temporary, fileOf(digest));
        verified.set(digest, bytes);
        return { digest, bytes };
      }),
  };
}

async function digestOfFile(file: string): Promise<{ readonly found: Digest; readonly bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: streamChunkBytes })) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { found: `sha256:${hash.digest('hex')}`, bytes };
}

async function isThere(file: string, bytes: number): Promise<boolean> {
  const found = await stat(file).catch(() => null);
  return found?.size === bytes;
}

function readFailure(thrown: unknown, digest: string, file: string): ThawError {
  if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') {
    return new ThawError('BlobNotFound', `${digest} is not in the store at ${path.dirname(file)}`);
  }
  return storageFailed(thrown, file, 'reading a blob');
}
