// Blobs that this host holds already, by digest, under one folder. Every read is verified; a torn or changed file is
// removed and counts as missing. Writers use a temporary name and rename, so two trainers may fill it at once.

import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { digestOf, fileNameOf } from '@thaw/common/content/digest.ts';
import { toThawError } from '@thaw/common/errors/thaw-error.ts';

export interface BlobCache {
  read(digest: string): Promise<Uint8Array | null>;
  write(digest: string, bytes: Uint8Array): Promise<void>;
}

export function blobCache(directory: string): BlobCache {
  const fileOf = (digest: string) => path.join(directory, fileNameOf(digest));
  return {
    async read(digest) {
      const file = fileOf(digest);
      const bytes = await readFile(file).catch(missing);
      if (!bytes) return null;
      if (digestOf(bytes) === digest) return bytes;
      await rm(file, { force: true });
      return null;
    },
    async write(digest, bytes) {
      const temporary = `${fileOf(digest)}.${randomBytes(6).toString('hex')}.part`;
      try {
        await mkdir(directory, { recursive: true });
        await writeFile(temporary, bytes);
        await rename(temporary, fileOf(digest));
      } catch (thrown) {
        await rm(temporary, { force: true });
        throw toThawError(thrown, 'StorageFailed');
      }
    },
  };
}

function missing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw toThawError(error, 'StorageFailed');
}
