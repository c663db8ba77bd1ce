import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { repositoryRoot } from '../../scripts/setup/locations.mjs';

const lockModule = JSON.stringify(path.join(repositoryRoot, 'scripts', 'setup', 'lock.mjs'));

const linesEach = 100;
const timeout = 60_000;

/**
 * Waits until as many as it is told are there, so that all reach for the lock at once; then writes lines while it holds
 * the lock: another holder's would come between.
 */
const writer = `
  import { appendFile, readdir, writeFile } from 'node:fs/promises';
  const { withLock } = await import(${lockModule});
  const [directory, together] = process.argv.slice(1);
  await writeFile(directory + '/ready-' + process.pid, '');
  const ready = async () => (await readdir(directory)).filter((name) => name.startsWith('ready-')).length;
  while ((await ready()) < Number(together));
  await withLock(directory, async () => {
    for (let i = 0; i < ${linesEach}; i += 1) await appendFile(directory + '/log', process.pid + '\\n');
  });
`;
const holder = `
  const { withLock } = await import(${lockModule});
  await withLock(process.argv[1], async () => {
    process.stdout.write('held\\n');
    setInterval(() => {}, 1000);
    await new Promise(() => {});
  });
`;

interface Locker {
  readonly process: ChildProcess;
  readonly ended: Promise<{ status: number | null; output: string }>;
  /** Resolves once it has written this. */
  says(text: string): Promise<void>;
}

async function aFolder(
  t: TestContext,
): Promise<{ folder: string; lock: string; start(code: string, together?: number): Locker }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'thaw-lock-'));
  const started: ChildProcess[] = [];
  t.after(async () => {
    for (const child of started) child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });
  const start = (code: string, together = 1): Locker => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', code, folder, String(together)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    started.push(child);
    return locker(child);
  };
  return { folder, lock: path.join(folder, 'set-up.lock'), start };
}

function locker(child: ChildProcess): Locker {
  let output = '';
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      for (const listener of listeners) listener();
    });
  }
  const ended = new Promise<{ status: number | null; output: string }>((resolve) => {
    child.once('close', (status) => resolve({ status, output }));
  });
  const says = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        if (output.includes(text)) resolve();
      };
      listeners.add(check);
      check();
      void ended.then(() => reject(new Error(`it ended without saying "${text}":\n${output}`)));
    });
  return { process: child, ended, says };
}

async function assertExclusive(folder: string, lockers: readonly Locker[]): Promise<void> {
  for (const { ended } of lockers) {
    const { status, output } = await ended;
    assert.equal(status, 0, output);
  }
  const lines = (await readFile(path.join(folder, 'log'), 'utf8')).trim().split('\n');
  assert.equal(lines.length, linesEach * lockers.length);
  const changes = lines.filter((line, i) => i > 0 && line !== lines[i - 1]).length;
  assert.equal(changes, lockers.length - 1, `holders took turns in the middle: ${lines.join(' ')}`);
  assert.ok(!existsSync(path.join(folder, 'set-up.lock')), 'the lock is given back');
}

test('set-ups at once exclude each other', { timeout }, async (t) => {
  const { folder, start } = await aFolder(t);
  await assertExclusive(folder, [start(writer, 3), start(writer, 3), start(writer, 3)]);
});

const noProcess = 2 ** 22 + 1;

const stale: [string, string][] = [
  ['a dead process', `process ${noProcess} started 1 on ${hostname()}`],
  ['a process whose number another one has now', `process ${process.pid} started 1 on ${hostname()}`],
];

for (const [owner, target] of stale) {
  test(`the lock of ${owner} is taken over, by one at a time`, { timeout }, async (t) => {
    const { folder, lock, start } = await aFolder(t);
    await symlink(target, lock);
    await assertExclusive(folder, [start(writer, 3), start(writer, 3), start(writer, 3)]);
  });
}

test('an empty lock file, which names nobody, is taken over', { timeout }, async (t) => {
  const { folder, lock, start } = await aFolder(t);
  await writeFile(lock, '');
  await assertExclusive(folder, [start(writer)]);
});

test('a take-over that was killed half-way does not stop the next', { timeout }, async (t) => {
  const { folder, lock, start } = await aFolder(t);
  await symlink(`process ${noProcess} started 1 on ${hostname()}`, lock);
  await symlink(`process ${noProcess} started 2 on ${hostname()}`, `${lock}.takeover`);
  await assertExclusive(folder, [start(writer)]);
});

test('a killed holder loses the lock; a living one is waited for and named', { timeout }, async (t) => {
  const { folder, lock, start } = await aFolder(t);
  const first = start(holder);
  await first.says('held');
  const second = start(writer);
  await second.says(`waiting for another set-up (process ${first.process.pid} started `);
  assert.match(await readlink(lock), new RegExp(`^process ${first.process.pid} started \\d+ on `));
  first.process.kill('SIGKILL');
  await assertExclusive(folder, [second]);
});

test('the lock of another host is respected until it goes', { timeout }, async (t) => {
  const { folder, lock, start } = await aFolder(t);
  await symlink(`process ${noProcess} started 1 on another-host`, lock);
  const locker = start(writer);
  await locker.says('waiting for another set-up (process');
  assert.ok(!existsSync(path.join(folder, 'log')), 'it did not start');
  await rm(lock);
  await assertExclusive(folder, [locker]);
});
