// A folder that is expensive to make and the same every time: made beside its place and renamed, so that it is there
// whole or not at all. Two processes may make it at once.

import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm, stat } from 'node:fs/promises';

/** Returns the folder; `make` fills an empty one when it is not there yet. */
export async function madeOnce(folder: string, make: (work: string) => Promise<void>): Promise<string> {
  if (await isThere(folder)) return folder;
  const work = `${folder}.${randomBytes(6).toString('hex')}.part`;
  try {
    await mkdir(work, { recursive: true });
    await make(work);
    await rename(work, folder).catch(async (error: NodeJS.ErrnoException) => {
      if (!(await isThere(folder))) throw error; // else another process was first
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return folder;
}

async function isThere(folder: string): Promise<boolean> {
  return (await stat(folder).catch(() => null)) !== null;
}
