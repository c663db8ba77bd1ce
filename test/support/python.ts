// Python with packages for tests that check Thaw against it. The packages lie in a cache folder of their own, never in
// the user's Python. Without python3 or pip such tests are skipped, loudly; in CI that is an error.

import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { promisify } from 'node:util';
import { cacheDirectory } from '../../scripts/setup/locations.mjs';

const execute = promisify(execFile);
const outputBytesMax = 256 * 1024 * 1024;

export interface Python {
  /** Runs a script file (or `-c` and a program as the first argument) and returns what it wrote to stdout. */
  run(script: string, args: readonly string[]): Promise<string>;
  /** Leaves a script running, which says its errors itself. */
  start(script: string, args: readonly string[]): ChildProcessByStdio<Writable, Readable, null>;
}

/** `requirements` as pip takes them. A text is the reason to skip. */
export async function pythonWith(requirements: readonly string[]): Promise<Python | string> {
  try {
    const version = await execute('python3', ['-m', 'pip', '--version']);
    const packages = await installed(requirements, version.stdout);
    const env = { ...process.env, PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: '1' };
    return {
      start: (script, args) => spawn('python3', [script, ...args], { env, stdio: ['pipe', 'pipe', 'inherit'] }),
      async run(script, args) {
        return (await execute('python3', [script, ...args], { env, maxBuffer: outputBytesMax })).stdout;
      },
    };
  } catch (thrown) {
    if (process.env.CI) throw thrown;
    const reason = `python3 with ${requirements.join(', ')} is not to be had: ${(thrown as Error).message.split('\n')[0]}`;
    console.error(`\nNOT TESTED against Python: ${reason}\n`);
    return reason;
  }
}

/** Folder of the packages, complete or absent: two tests may make it at once. */
async function installed(requirements: readonly string[], pythonVersion: string): Promise<string> {
  const key = createHash('sha256')
    .update(JSON.stringify([requirements, pythonVersion]))
    .digest('hex')
    .slice(0, 16);
  const folder = path.join(cacheDirectory(process.env), 'test-python', key);
  if (existsSync(folder)) return folder;
  const part = `${folder}.${randomBytes(6).toString('hex')}.part`;
  await mkdir(part, { recursive: true });
  try {
    const quiet = ['--quiet', '--disable-pip-version-check', '--only-binary=:all:'];
    await execute('python3', ['-m', 'pip', 'install', ...quiet, '--target', part, ...requirements]);
    await rename(part, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(part, { recursive: true, force: true });
  }
  return folder;
}
