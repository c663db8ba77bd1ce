// How a run ends when somebody or something ends it: Ctrl-C, and each process killed without which it cannot go on. Always
// with a sentence, and with nothing left behind. How long it takes after a signal is printed. (A killed trainer ends no
// run: that, with its bits, is elastic.test.ts; resume.test.ts takes runs up again.)

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { resultFiles } from '@thaw/coordinator/export/result-files.ts';
import { pathWithBroker } from '../support/broker-on-path.ts';
import { writeTinyJob } from '../support/fixtures/tiny-job.ts';
import { skipWithoutEngine } from '../support/needed-parts.ts';
import { type Ended, eventsOf, type Relative, startThaw, type ThawProcess, until } from '../support/thaw-process.ts';

/** Finds a run that waits for something that does not come, on a busy machine too. How soon it ends is a figure. */
const endedMilliseconds = 20_000;

describe('a run that is ended', { skip: await skipWithoutEngine() }, () => {
  let folder = '';
  let runCount = 0;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'thaw-faults-'));
    await writeTinyJob(folder, { changes: { spec: { train: { schedule: { stages: [endless] } } } } });
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** A run of two trainers that has trained an epoch, and would go on for hours. */
  async function aRunUnderWay(): Promise<{ thaw: ThawProcess; out: string }> {
    runCount += 1;
    const out = path.join(folder, `out-${runCount}`);
    const thaw = await startThaw(['run', 'job.yaml', '--trainers', '2', '--out', out, '--json'], { cwd: folder });
    await until(thaw, () => eventsOf(thaw.stdout()).find(({ kind }) => kind === 'epochEvaluated'));
    return { thaw, out };
  }

  async function oneOf(thaw: ThawProcess, role: Relative['role']): Promise<number> {
    const found = (await thaw.family()).find((relative) => relative.role === role);
    assert.ok(found, `no ${role} is running`);
    return found.pid;
  }

  async function assertNothingLeft(thaw: ThawProcess): Promise<void> {
    assert.deepEqual(await thaw.family(), []);
    assert.deepEqual(await thaw.temporaryFiles(), []);
  }

  /** Of a run that was just asked to end. */
  async function endedSoon(thaw: ThawProcess, context: TestContext): Promise<Ended> {
    const asked = performance.now();
    const ended = await thaw.ended;
    const milliseconds = performance.now() - asked;
    context.diagnostic(`ended after ${(milliseconds / 1000).toFixed(1)} s`);
    assert.ok(milliseconds < endedMilliseconds, `${milliseconds} ms`);
    return ended;
  }

  async function markOf(out: string): Promise<{ pid: number | null; state: string }> {
    return JSON.parse(await readFile(resultFiles(out).jobMark, 'utf8')) as { pid: number | null; state: string };
  }

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    it(`by ${signal} says what was kept`, async (context) => {
      const { thaw, out } = await aRunUnderWay();
      thaw.kill(signal);
      const { status, stderr, stdout } = await endedSoon(thaw, context);
      assert.equal(status, 130);
      assert.match(
        stdout + stderr,
        /events in .*events\.jsonl, logs in .*No model was written; .*run --resume .* goes on after step \d+/,
      );
      await assertNothingLeft(thaw);
      assert.deepEqual(await markOf(out).then(({ pid, state }) => [pid, state]), [null, 'Cancelled']);
      const events = await readFile(resultFiles(out).events, 'utf8');
      assert.match(events.trim().split('\n').at(-1) ?? '', /"kind":"jobCancelled"/);
    });
  }

  const runs = (role: Relative['role']) => async (thaw: ThawProcess) =>
    (await thaw.family()).some((relative) => relative.role === role);
  const moments: readonly {
    when: string;
    reached: (thaw: ThawProcess, begun: string) => Promise<boolean>;
  }[] = [
    { when: 'the coordinator runs', reached: runs('coordinator') },
    { when: 'nats-server starts', reached: async (_, begun) => existsSync(begun) },
    { when: 'nats-server runs', reached: runs('nats-server') },
    { when: 'the trainers start', reached: runs('trainer') },
  ];
  for (const [i, { when, reached }] of moments.entries()) {
    it(`by Ctrl-C before training, as soon as ${when}, leaves nothing`, async (context) => {
      const begun = path.join(folder, `begun-${i}`);
      const out = path.join(folder, `out-early-${i}`);
      const env = { PATH: await pathWithBroker(folder, `: > '${begun}'\nsleep 2`) };
      const thaw = await startThaw(['run', 'job.yaml', '--out', out], { cwd: folder, env });
      await until(thaw, () => reached(thaw, begun));
      thaw.kill('SIGINT');
      assert.equal((await endedSoon(thaw, context)).status, 130);
      await assertNothingLeft(thaw);
    });
  }

  const killed: readonly { role: Relative['role']; code: string; message: RegExp }[] = [
    { role: 'coordinator', code: 'CoordinatorLost', message: /the coordinator \(pid \d+\) was ended by SIGKILL/ },
    { role: 'nats-server', code: 'BrokerLost', message: /nats-server \(pid \d+\) was ended by SIGKILL/ },
  ];
  for (const { role, code, message } of killed) {
    it(`by a killed ${role} fails with ${code}`, async () => {
      const { thaw, out } = await aRunUnderWay();
      process.kill(await oneOf(thaw, role), 'SIGKILL');
      const ended = await thaw.ended;
      assert.equal(ended.status, 1);
      const last = eventsOf(ended.stdout).at(-1);
      assert.deepEqual([last?.kind, last?.code], ['runEnded', code]);
      assert.match(String(last?.message), message);
      await assertNothingLeft(thaw);
      await assert.rejects(access(resultFiles(out).report));
    });
  }

  it('by a killed trainer goes on: the other trains on, and another one takes the place', async () => {
    const { thaw, out } = await aRunUnderWay();
    const killed = await oneOf(thaw, 'trainer');
    process.kill(killed, 'SIGKILL');
    await until(thaw, () => generationSizes(thaw).length >= 3);
    assert.deepEqual(generationSizes(thaw), [2, 1, 2]);
    const [lost, ...more] = eventsOf(thaw.stdout()).filter(({ kind }) => kind === 'trainerLost');
    assert.deepEqual([lost?.pid, lost?.reason, more.length], [killed, 'was ended by SIGKILL', 0]);
    thaw.kill('SIGINT');
    const { status, stderr } = await thaw.ended;
    assert.equal(status, 130);
    assert.match(stderr, new RegExp(`trainer-\\d \\(pid ${killed}\\) was ended by SIGKILL; starting it again`));
    await assertNothingLeft(thaw);
    assert.equal((await markOf(out)).state, 'Cancelled');
  });

  it('by kill -9 of the command itself leaves no process behind', async () => {
    const { thaw } = await aRunUnderWay();
    thaw.kill('SIGKILL');
    await thaw.ended;
    const since = performance.now();
    while ((await thaw.family()).length > 0) {
      assert.ok(performance.now() - since < 10_000, `still there: ${JSON.stringify(await thaw.family())}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });

  it('can be begun anew in the same folder by who says so', async () => {
    const { thaw, out } = await aRunUnderWay();
    thaw.kill('SIGINT');
    await thaw.ended;
    const refused = await (await startThaw(['run', 'job.yaml', '--out', out], { cwd: folder })).ended;
    assert.match(refused.said, /OutputConflict.*unfinished run.*thaw run --resume .*--overwrite/);
    const again = await startThaw(['run', 'job.yaml', '--out', out, '--json', '--overwrite'], { cwd: folder });
    await until(again, () => eventsOf(again.stdout()).find(({ kind }) => kind === 'epochEvaluated'));
    const sequences = (await readFile(resultFiles(out).events, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { sequence: number }).sequence);
    assert.deepEqual(sequences.slice(0, 2), [1, 2]);
    again.kill('SIGINT');
    await again.ended;
  });
});

/** How many trained together, one after the other. */
function generationSizes(thaw: ThawProcess): number[] {
  const started = eventsOf(thaw.stdout()).filter(({ kind }) => kind === 'generationStarted');
  return started.map(({ trainers }) => (trainers as readonly string[]).length);
}

const endless = { name: 'endless', trainable: ['head/**'], epochs: 100_000 };
