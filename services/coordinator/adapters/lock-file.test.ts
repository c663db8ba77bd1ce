// Between real processes: who gets the lock of several, and who takes over a dead one's.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { access, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, it } from 'node:test';
import { breakingFile, withLockFile } from './lock-file.ts';

let folder = '';
let lock = '';

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'thaw-lock-'));
  lock = path.join(folder, 'claim');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Runs `count` at once; how many were in it together, how many got in at all, and why the others did not. */
async function contend(count: number): Promise<{ most: number; entered: number; refusals: string[] }> {
  let inside = 0;
  let most = 0;
  let entered = 0;
  const refusals: string[] = [];
  let leave = (): void => undefined;
  const mayLeave = new Promise<void>((resolve) => {
    leave = resolve;
  });
  // Whoever is in stays until all others are in or refused, however slow the machine is.
  const settled = (): void => {
    if (entered + refusals.length === count) leave();
  };
  const work = async (): Promise<void> => {
    inside += 1;
    entered += 1;
    most = Math.max(most, inside);
    settled();
    await mayLeave;
    inside -= 1;
  };
  const contender = (): Promise<void> =>
    withLockFile(lock, work).catch(({ message }: Error) => {
      refusals.push(message);
      settled();
    });
  await Promise.all(Array.from({ length: count }, contender));
  return { most, entered, refusals };
}

it('lets one in and refuses the others, naming who has it', async () => {
  const { entered, refusals } = await contend(5);
  assert.equal(entered, 1);
  assert.equal(refusals.length, 4);
  for (const message of refusals)
    assert.match(message, new RegExp(`another run \\(process ${process.pid}\\) is just claiming`));
  await assert.rejects(access(lock), 'the lock is gone afterwards');
});

/** The id of a process that is no more. */
function deadProcess(): number {
  return spawnSync(process.execPath, ['--version']).pid;
}

const gone = deadProcess();

const left: readonly { name: string; text: () => string }[] = [
  { name: 'a dead process', text: () => `${gone} 0123456789abcdef` },
  { name: 'a dead process that had our own id', text: () => `${process.pid} 0123456789abcdef` },
  {
    name: 'a dead process whose id a living one has since',
    text: () => `${process.ppid} 0123456789abcdef an-earlier-boot 17`,
  },
  { name: 'a process that died before it had written its name', text: () => '' },
];
for (const { name, text } of left) {
  it(`is taken over from ${name}, by one of several`, async () => {
    await writeFile(lock, text());
    const { most, entered } = await contend(8);
    assert.equal(most, 1);
    assert.equal(entered, 1);
  });
}

it('is taken over where one died while it took it over, and another while it took over from that one', async () => {
  const [owner, breaker, another] = ['0', '1', '2'].map((digit) => `${gone} ${digit.repeat(16)}`) as [
    string,
    string,
    string,
  ];
  const breaking = breakingFile(lock, owner);
  await writeFile(lock, owner);
  await writeFile(breaking, breaker);
  await writeFile(breakingFile(breaking, breaker), another);
  const { most, entered } = await contend(8);
  assert.equal(most, 1);
  assert.equal(entered, 1);
  assert.deepEqual(await readdir(folder), []);
});

it('is never in two hands, however late one that found it dead goes on', async () => {
  for (let round = 0; round < 40; round++) {
    await writeFile(lock, `${gone} 0123456789abcdef`);
    let inside = 0;
    const contenders = Array.from({ length: 12 }, async (_, i) => {
      for (let turn = 0; turn < i * (round % 5); turn++) await new Promise((resolve) => setImmediate(resolve));
      await withLockFile(lock, async () => {
        inside += 1;
        assert.equal(inside, 1);
        for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
        inside -= 1;
      });
    });
    const results = await Promise.allSettled(contenders);
    const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    assert.ok(errors.length < contenders.length, 'somebody had it');
    for (const { code } of errors) assert.equal(code, 'OutputConflict');
  }
});

it('is not taken from a living process', async () => {
  const other = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'], { stdio: 'ignore' });
  try {
    await writeFile(lock, `${other.pid} 0123456789abcdef`);
    await assert.rejects(
      withLockFile(lock, async () => undefined),
      { code: 'OutputConflict' },
    );
    await access(lock);
  } finally {
    other.kill('SIGKILL');
  }
});

it('is released when the work fails', async () => {
  await assert.rejects(
    withLockFile(lock, () => Promise.reject(new Error('no'))),
    { message: 'no' },
  );
  assert.equal(await withLockFile(lock, async () => 1), 1);
});
