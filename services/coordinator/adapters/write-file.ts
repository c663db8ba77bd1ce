// A file is either there in full or not there: temporary name, fsync, rename, fsync of the folder.

import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { storageFailed } from './storage-failure.ts';

/** Ends every temporary name, so that leftovers of a killed process can be told. */
export const temporarySuffix = '.part';

export async function writeFileWhole(file: string, bytes: Uint8Array | string, doing: string): Promise<void> {
  await writeFileBy(file, doing, (temporary) => writeFile(temporary, bytes, { flag: 'wx' }));
}

/** Indented, for people to read too. */
export async function writeJsonWhole(file: string, value: unknown, doing: string): Promise<void> {
  await writeFileWhole(file, `${JSON.stringify(value, null, 2)}\n`, doing);
}

/** For what is written piece by piece: `write` makes a file of the name that it is given, which is synced afterwards. */
export async function writeFileBy(
  file: string,
  doing: string,
  write: (temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = temporaryName(file);
  try {
    await makeFolder(path.dirname(file));
    await write(temporary);
    await syncFile(temporary);
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

async function syncFile(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes a folder and those above it. Node's own recursive mkdir hides why it fails on a read-only file system. */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
    await mkdir(await firstMissing(folder));
    await mkdir(folder, { recursive: true });
  }
}

async function firstMissing(folder: string): Promise<string> {
  const parent = path.dirname(folder);
  const parentIsThere = await stat(parent).then(
    () => true,
    () => false,
  );
  return parentIsThere || parent === folder ? folder : firstMissing(parent);
}
