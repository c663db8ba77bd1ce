// What a failed file operation means to a user: which path, what was wrong with it, what to do.

import { statfs } from 'node:fs/promises';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';

const meaning: Readonly<Record<string, string>> = {
  ENOSPC: 'no space is left on the device; free some and run again',
  EDQUOT: 'the disk quota is used up; free some space and run again',
  EACCES: 'permission denied; the user that runs thaw needs to be able to write there',
  EPERM: 'not permitted; the user that runs thaw needs to be able to write there',
  EROFS: 'the file system is read-only; choose another output folder',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EISDIR: 'a folder is where a file should be',
  EIO: 'the device reports an input/output error',
  EMFILE: 'too many files are open; raise the limit (ulimit -n)',
};

/** `doing`: `writing the report`. */
export function storageFailed(thrown: unknown, path: string, doing: string): ThawError {
  if (thrown instanceof ThawError) return thrown;
  const { code = '', message = String(thrown) } = thrown as NodeJS.ErrnoException;
  const data = { path, errno: code };
  return new ThawError('StorageFailed', `${doing} failed at ${path}: ${meaning[code] ?? message}`, {
    data,
    cause: thrown,
  });
}

/** Below this a device counts as full: nothing that Thaw writes is whole in less. */
const fullBytes = 64 * 1024;

/** A broker on a full disk only falls silent: what `work` throws is said to be that when it is. */
export async function orFullDisk<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    const free = await statfs(folder)
      .then(({ bavail, bsize }) => bavail * bsize)
      .catch(() => Number.POSITIVE_INFINITY);
    if (free > fullBytes) throw thrown;
    throw storageFailed(Object.assign(new Error('full'), { code: 'ENOSPC' }), folder, "storing the job's state");
  }
}
