// One set-up at a time per folder. The lock is a symbolic link whose target names its owner: made in one step, so it is
// never there without its owner, whatever is killed when. An owner that is gone loses it; nobody waits without end.

import { readFileSync } from 'node:fs';
import { mkdir, readlink, rm, symlink } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { SetupError } from './run.mjs';

const pollMilliseconds = 200;
/** Longer than a set-up takes over a slow line. */
const waitMinutesMax = 60;

/** Throws SetupError when the folder cannot be written or its owner does not end. @param {string} directory @param {() => Promise<void>} work */
export async function withLock(directory, work) {
  await mkdir(directory, { recursive: true }).catch((error) => {
    throw new SetupError(
      `${directory} cannot be made: ${error.message}; set THAW_CACHE to a folder that can be written`,
    );
  });
  const file = path.join(directory, 'set-up.lock');
  await waitForLock(file);
  try {
    await work();
  } finally {
    if ((await ownerOf(file)) === ownName()) await rm(file, { force: true });
  }
}

/** @param {string} file */
async function waitForLock(file) {
  const until = performance.now() + waitMinutesMax * 60_000;
  let told = false;
  while (!(await take(file))) {
    const owner = await ownerOf(file);
    if (owner === null) continue;
    if (isGone(owner)) {
      if (await dropStale(file, owner)) continue;
    } else if (!told) {
      process.stderr.write(`thaw set-up: waiting for another set-up (${owner})\n`);
      told = true;
    }
    if (performance.now() > until) {
      throw new SetupError(
        `waited ${waitMinutesMax} minutes for another set-up (${owner}); if it is gone, remove ${file}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, pollMilliseconds));
  }
}

/** @param {string} file */
async function take(file) {
  try {
    await symlink(ownName(), file);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw new SetupError(`${file} cannot be made: ${error.message}; set THAW_CACHE to a folder that can be written`);
  }
}

/** Null without a lock; a lock of some other kind has no owner that could be alive. @param {string} file */
async function ownerOf(file) {
  return readlink(file).catch((error) => (error.code === 'ENOENT' ? null : ''));
}

/**
 * Only who holds the take-over may remove another's lock, and looks again before: of two who find it stale, the second
 * must not remove the lock that the first has taken since. False when someone else is at it.
 * @param {string} file @param {string} owner
 */
async function dropStale(file, owner) {
  const takeover = `${file}.takeover`;
  if (!(await take(takeover))) {
    const other = await ownerOf(takeover);
    if (other !== null && isGone(other)) await rm(takeover, { force: true });
    return false;
  }
  try {
    if ((await ownerOf(file)) === owner) await rm(file, { force: true });
  } finally {
    await rm(takeover, { force: true });
  }
  return true;
}

/** `process 123 started 4567 on host`: the start tells a process from a later one with the same number. */
function ownName() {
  return `process ${process.pid} started ${startOf(process.pid)} on ${os.hostname()}`;
}

/** Whether the owner certainly is no more; of another host nobody here can tell. @param {string} owner */
function isGone(owner) {
  const [, pid, start, host] = /^process (\d+) started (\d+) on (.*)$/.exec(owner) ?? [];
  if (pid === undefined) return true;
  return host === os.hostname() && (!isAlive(Number(pid)) || startOf(Number(pid)) !== Number(start));
}

/** Clock ticks between boot and start; 0 where there is no /proc. @param {number} pid */
function startOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const afterName = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(afterName[19]);
  } catch {
    return 0;
  }
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
