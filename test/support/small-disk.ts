// A file system of a few megabytes for tests of full disks and read-only ones: a tmpfs, which needs root to mount.

import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface SmallDisk {
  makeReadOnly(): Promise<void>;
  unmount(): Promise<void>;
}

/** null where this user may not mount. */
export async function mountSmallDisk(folder: string, megabytes: number): Promise<SmallDisk | null> {
  await mkdir(folder, { recursive: true });
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'none', folder]);
  } catch {
    return null;
  }
  return {
    makeReadOnly: async () => void (await run('mount', ['-o', 'remount,ro', folder])),
    unmount: async () => void (await run('umount', ['-l', folder])),
  };
}
