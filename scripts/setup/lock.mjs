// One set-up at a time per cache folder. The lock is a file that names its owner; an owner that is gone loses it.

import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

const pollMilliseconds = 200;

/** @param {string} directory @param {() => Promise<void>} work */
export async function withLock(directory, work) {
  await mkdir(directory, { recursive: true });
  const file = path.join(directory, 'set-up.lock');
  let told = false;
  while (!(await take(file))) {
    const owner = await ownerOf(file);
    if (owner === null) continue;
    if (!isAlive(owner)) {
      await dropStale(file, owner);
      continue;
    }
    if (!told) process.stderr.write(`thaw set-up: waiting for another set-up (process ${owner})\n`);
    told = true;
    await new Promise((resolve) => setTimeout(resolve, pollMilliseconds));
  }
  try {
    await work();
  } finally {
    await rm(file, { force: true });
  }
}

/** @param {string} file */
async function take(file) {
  try {
    await writeFile(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

/** @param {string} file */
async function ownerOf(file) {
  const text = await readFile(file, 'utf8').catch(() => null);
  return text === null || text === '' ? null : Number(text);
}

/** Moves the lock away before removing it, so that of two who find it stale only one removes it. */
async function dropStale(file, owner) {
  const aside = `${file}.${process.pid}.stale`;
  await rename(file, aside).catch(() => {});
  const moved = await ownerOf(aside);
  if (moved !== null && moved !== owner) await rename(aside, file);
  else await rm(aside, { force: true });
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
