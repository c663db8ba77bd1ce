// A file is either there in full or not there: temporary name, fsync, rename, fsync of the folder.

import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { storageFailed } from './storage-failure.ts';

/** Ends every temporary name, so that leftovers of a killed process can be told. */
export const temporarySuffix = '.part';

export async function writeFileWhole(file: string, bytes: Uint8Array | string, doing: string): Promise<void> {
  const temporary = temporaryName(file);
  try {
    await mkdir(path.dirname(file), { recursive: true });
    const handle = await open(temporary, 'wx');
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await putInPlace(temporary, file);
  } catch (thrown) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw storageFailed(thrown, file, doing);
  }
}

export function temporaryName(file: string): string {
  return `${file}.${randomBytes(6).toString('hex')}${temporarySuffix}`;
}

/** The temporary file must have been synced. */
export async function putInPlace(temporary: string, file: string): Promise<void> {
  await rename(temporary, file);
  await syncFolder(path.dirname(file));
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
