// The command line as a process of its own, with everything that it starts marked, so that a test can find a trainer to
// kill and prove afterwards that nothing was left: no process, no temporary file.

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { repositoryRoot } from '../../scripts/setup/locations.mjs';
import { ownCache } from './own-cache.ts';

export interface ThawOptions {
  readonly cwd: string;
  /** Over this process' own. The run has a cache folder of its own unless THAW_CACHE names one that runs share. */
  readonly env?: NodeJS.ProcessEnv;
  /** Runs as this user and group; needs root. */
  readonly user?: number;
}

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Why it failed, if it did: all of stderr, and the last line of stdout, where --json says it. */
  readonly said: string;
  readonly seconds: number;
}

export interface ThawProcess {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  stdout(): string;
  kill(signal: NodeJS.Signals): void;
  /** Living processes of this run besides the command itself. */
  family(): Promise<Relative[]>;
  /** What lies in the run's folder for temporary files, the loader's cache left out. */
  temporaryFiles(): Promise<string[]>;
}

export interface Relative {
  readonly pid: number;
  readonly role: 'coordinator' | 'trainer' | 'nats-server' | 'other';
}

const mark = 'THAW_TEST_RUN';
const pollMilliseconds = 20;
const commandLine = path.join(repositoryRoot, 'services', 'cli', 'main.ts');
const loader = path.join(repositoryRoot, 'node_modules', 'tsx', 'dist', 'esm', 'index.mjs');

export async function startThaw(args: readonly string[], { cwd, env, user }: ThawOptions): Promise<ThawProcess> {
  const id = randomBytes(8).toString('hex');
  const own = path.join(cwd, `tmp-${id}`);
  const temporary = path.join(own, 'tmp');
  await mkdir(temporary, { recursive: true });
  await chmod(temporary, 0o777);
  const cache = env?.THAW_CACHE ?? (await ownCache(path.join(own, 'cache')));
  const started = performance.now();
  const child = spawn(process.execPath, ['--import', `file://${loader}`, commandLine, ...args], {
    cwd,
    env: { ...process.env, NO_COLOR: '1', ...env, THAW_CACHE: cache, TMPDIR: temporary, [mark]: id },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(user !== undefined && { uid: user, gid: user }),
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (status, signal) => {
      const said = `${stderr}${stdout.trimEnd().split('\n').at(-1)}`;
      resolve({ status, signal, stdout, stderr, said, seconds: (performance.now() - started) / 1000 });
    });
  });
  const pid = child.pid as number;
  return {
    pid,
    ended,
    stdout: () => stdout,
    kill: (signal) => void child.kill(signal),
    family: () => marked(`${mark}=${id}`, pid),
    temporaryFiles: async () => (await readdir(temporary)).filter((name) => !name.startsWith('tsx-')),
  };
}

export async function runThaw(args: readonly string[], options: ThawOptions): Promise<Ended> {
  return (await startThaw(args, options)).ended;
}

/** Waits until something is true, or the process has ended; the limit of `npm test` ends a wait that never comes true. */
export async function until<T>(thaw: ThawProcess, what: () => Promise<T | undefined> | T | undefined): Promise<T> {
  let over: Ended | null = null;
  void thaw.ended.then((ended) => {
    over = ended;
  });
  for (;;) {
    const found = await what();
    if (found !== undefined && found !== false) return found;
    if (over) throw new Error(`thaw ended before it came true: ${JSON.stringify(over)}`);
    await delay(pollMilliseconds);
  }
}

/** kill -9 of the command and everything that it started, until nothing of it is left that could write. */
export async function killAll(thaw: ThawProcess): Promise<Ended> {
  thaw.kill('SIGKILL');
  for (let left = await thaw.family(); left.length > 0; left = await thaw.family()) {
    for (const { pid } of left) killIfThere(pid);
    await delay(pollMilliseconds);
  }
  return await thaw.ended;
}

/** One that has just ended by itself is as good as killed. */
function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ESRCH') throw thrown;
  }
}

/** Events of a run with --json, by kind. */
export function eventsOf(stdout: string): { readonly kind: string; readonly [field: string]: unknown }[] {
  const lines = stdout.slice(0, stdout.lastIndexOf('\n') + 1).split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as { kind: string });
}

async function marked(text: string, except: number): Promise<Relative[]> {
  const found: Relative[] = [];
  for (const name of await readdir('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === except) continue;
    const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
    if (!environment.split('\0').includes(text)) continue;
    const command = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '');
    if (command !== '') found.push({ pid, role: roleOf(command) });
  }
  return found;
}

function roleOf(command: string): Relative['role'] {
  if (command.includes('coordinator/main.')) return 'coordinator';
  if (command.includes('trainer/main.')) return 'trainer';
  return command.split('\0')[0]?.endsWith('nats-server') ? 'nats-server' : 'other';
}
