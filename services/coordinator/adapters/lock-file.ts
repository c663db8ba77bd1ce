// A lock between processes of one machine: a file that only one can create, naming its process. One that a dead process
// left behind is taken over; of several who find it, the one that creates the breaking file removes it, and only after
// it has read the same dead owner again, so that nobody removes a lock that somebody has taken meanwhile. The breaking
// file is a lock too, named after the owner whose lock it breaks: whoever died with it is taken over in the same way.

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { storageFailed } from './storage-failure.ts';

/** A lock is created, then written: for this long an empty one is one that is being written. */
const writeAttemptsMax = 10;
const writeMilliseconds = 20;
const takeAttemptsMax = 10;

/** Locks of this process: after a restart in a container the dead owner may have had our own process id. */
const held = new Set<string>();

/** Throws OutputConflict when a living process holds the lock, and what `work` throws. */
export function withLockFile<T>(file: string, work: () => Promise<T>): Promise<T> {
  return asOwner(async (owner) => {
    await take(file, owner);
    try {
      return await work();
    } finally {
      await rm(file, { force: true });
    }
  });
}

/** `owner` is what a lock says of this process, and never says again. */
async function asOwner<T>(work: (owner: string) => Promise<T>): Promise<T> {
  const owner = [process.pid, randomBytes(8).toString('hex'), processIdentity(process.pid) ?? ''].join(' ').trim();
  held.add(owner);
  try {
    return await work(owner);
  } finally {
    held.delete(owner);
  }
}

async function take(file: string, owner: string): Promise<void> {
  for (let attempt = 0; attempt < takeAttemptsMax; attempt++) {
    if (await create(file, owner)) return;
    const found = await ownerOf(file);
    if (found === null) continue;
    if (isAlive(found)) throw inUse(file, found);
    await breakLock(file, found);
  }
  throw inUse(file, (await ownerOf(file)) ?? '');
}

/** Removes the lock of a dead process, unless another does just that. */
async function breakLock(file: string, dead: string): Promise<void> {
  const breaking = breakingFile(file, dead);
  await asOwner(async (owner) => {
    if (!(await create(breaking, owner))) return afterAnother(breaking);
    try {
      if ((await ownerOf(file)) === dead) await rm(file, { force: true });
    } finally {
      await rm(breaking, { force: true });
    }
  });
}

async function afterAnother(breaking: string): Promise<void> {
  const other = await ownerOf(breaking);
  if (other === null || isAlive(other)) await delay(writeMilliseconds);
  else await breakLock(breaking, other);
}

/** One for each owner, so that the breaking file of a lock that is gone stands in nobody's way. */
export function breakingFile(file: string, owner: string): string {
  return `${file}.${owner.replace(/[^0-9a-f]+/g, '-').slice(0, 40)}.break`;
}

/** False when it is there already. */
async function create(file: string, text: string): Promise<boolean> {
  try {
    await writeFile(file, text, { flag: 'wx' });
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw storageFailed(thrown, file, 'locking the output folder');
  }
}

/** Null when there is no lock any more; empty when its process died before it had written its name. */
async function ownerOf(file: string): Promise<string | null> {
  for (let attempt = 0; attempt < writeAttemptsMax; attempt++) {
    const text = await readFile(file, 'utf8').catch(() => null);
    if (text !== '') return text;
    await delay(writeMilliseconds);
  }
  return '';
}

function isAlive(owner: string): boolean {
  const pid = Number.parseInt(owner, 10);
  if (pid === process.pid) return held.has(owner);
  const identity = owner.split(' ').slice(2).join(' ');
  return Number.isInteger(pid) && isRunning(pid, identity || undefined);
}

function inUse(file: string, owner: string): ThawError {
  const [pid = ''] = owner.split(' ');
  return new ThawError(
    'OutputConflict',
    `another run (process ${pid}) is just claiming this output folder; expected nobody at ${file}: ` +
      'choose another folder with --out, or remove that file if no such process runs',
    { data: { file, owner } },
  );
}

/**
 * Tells a process from a later one with its number, also after a restart of the machine: which boot, and when in it the
 * process began. Null where the system does not say.
 */
export function processIdentity(pid: number): string | null {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const status = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // After the name, which may hold anything: field 3 and on; the start is field 22.
    const started = status.slice(status.lastIndexOf(')') + 2).split(' ')[19];
    return `${boot} ${started}`;
  } catch {
    return null;
  }
}

/** `identity`: of the process that is meant, where it is known; another one may have its number since. */
export function isRunning(pid: number, identity?: string): boolean {
  return isThere(pid) && (identity === undefined || identity === processIdentity(pid));
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
}
