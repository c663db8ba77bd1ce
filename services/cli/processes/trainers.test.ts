// Real processes, a line of shell each; time passes when the test says so.

import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { overTheWire } from '../view/testing/played-run.ts';
import { type Child, startChild } from './child.ts';
import type { Lost } from './local-run.ts';
import { keepTrainers, type TrainersOptions } from './trainers.ts';

const stays = 'exec sleep 1000';
const pollMilliseconds = 5;

interface Waiting {
  readonly milliseconds: number;
  readonly run: () => void;
}

/** `script`: what a trainer does, by its name and how many of that name there were before. */
function keeping(context: TestContext, wanted: number, script: (name: string, before: number) => string = () => stays) {
  const children: Child[] = [];
  const reported: string[] = [];
  const warnings: string[] = [];
  const lost: Lost[] = [];
  const waiting = new Set<Waiting>();
  let sequence = 0;
  let isOver = false;
  let now = 0;
  const options: TrainersOptions = {
    wanted,
    min: 1,
    start(name) {
      const args = ['-c', script(name, children.filter((child) => child.name === name).length)];
      const child = startChild({ name, command: '/bin/sh', args, env: {}, stderrFile: null });
      children.push(child);
      return child;
    },
    isOver: () => isOver,
    report: ({ name }, reason) => reported.push(`${name} ${reason}`),
    warn: (message) => warnings.push(message.replace(/\(pid \d+\) /, '')),
    lose: (one) => lost.push(one),
    monotonic: () => now,
    after(milliseconds, run) {
      const entry = { milliseconds, run };
      waiting.add(entry);
      return () => waiting.delete(entry);
    },
  };
  const trainers = keepTrainers(options);
  context.after(async () => {
    trainers.close();
    await Promise.all(children.map((child) => child.stop(0)));
  });
  const living = (): string[] => children.filter(({ exit }) => exit === null).map(({ name }) => name);
  return {
    ...{ trainers, children, reported, warnings, lost, living },
    waits: () => [...waiting].map(({ milliseconds }) => milliseconds),
    /** Whoever waits has waited. */
    elapse() {
      for (const entry of [...waiting]) {
        waiting.delete(entry);
        entry.run();
      }
    },
    pass(milliseconds: number) {
      now += milliseconds;
    },
    end() {
      isOver = true;
    },
    says(state: string, trainersWanted: number, ...events: readonly object[]) {
      const lines = events.map((event) => JSON.stringify({ sequence: ++sequence, ...event }));
      trainers.update(overTheWire({ status: { state, trainersWanted }, events: lines }));
    },
    async kill(name: string, signal: NodeJS.Signals = 'SIGKILL') {
      const child = children.findLast((one) => one.name === name && one.exit === null);
      assert.ok(child, `${name} lives`);
      process.kill(child.pid, signal);
      await child.exited;
    },
  };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, pollMilliseconds));
}

const begun = { kind: 'jobStarted' };

it('starts one that was killed again under its name, says so, and tells the coordinator', async (context) => {
  const run = keeping(context, 2);
  run.says('Training', 2, begun);
  const [first] = run.children;
  await run.kill('trainer-0');
  assert.deepEqual(run.living(), ['trainer-1', 'trainer-0']);
  assert.notEqual(run.children[2]?.pid, first?.pid);
  assert.deepEqual(run.reported, ['trainer-0 was ended by SIGKILL']);
  assert.deepEqual(run.warnings, ['trainer-0 was ended by SIGKILL; starting it again']);
});

it('waits longer each time, and then the run cannot go on', async (context) => {
  const run = keeping(context, 1, () => 'echo crashed >&2; exit 3');
  const waits: number[] = [];
  for (const restarts of [1, 2, 3, 4, 5]) {
    await until(() => run.children.length === restarts + 1 || run.waits().length === 1);
    waits.push(...run.waits());
    run.elapse();
  }
  await until(() => run.lost.length === 1);
  assert.deepEqual(waits, [1000, 2000, 4000, 8000]);
  assert.equal(run.warnings[1], 'trainer-0 ended with exit code 3; starting it again in 1.0 s');
  const [lost] = run.lost;
  assert.equal(lost?.code, 'TrainerLost');
  assert.match(lost.message, /^trainer-0 \(pid \d+\) ended with exit code 3, after .* started again 5 times in a row$/);
  assert.deepEqual(lost.child.lastLines(), ['crashed']);
  run.says('Training', 3, begun);
  assert.equal(run.children.length, 6, 'nobody is started for a run that cannot go on');
});

it('has a new row of deaths for one that was at work for long', async (context) => {
  const run = keeping(context, 1);
  for (const wait of [0, 1000]) {
    const { pid = 0 } = run.children.at(-1) ?? {};
    run.says('Training', 1, begun, joined(pid), ready);
    run.pass(wait === 0 ? 40_000 : 20_000);
    await run.kill('trainer-0');
    assert.deepEqual(run.waits(), wait === 0 ? [] : [wait]);
  }
  run.elapse();
  const { pid = 0 } = run.children.at(-1) ?? {};
  run.says('Training', 1, joined(pid), ready);
  run.pass(30_000);
  await run.kill('trainer-0');
  assert.deepEqual(run.waits(), []);
});

it('does not take the readiness of the process before for that of the next', async (context) => {
  const run = keeping(context, 1);
  const [first] = run.children;
  run.says('Training', 1, begun, joined(first?.pid ?? 0));
  await run.kill('trainer-0');
  run.says('Training', 1, ready);
  run.pass(60_000);
  await run.kill('trainer-0');
  assert.deepEqual(run.waits(), [1000]);
});

it('follows the number that is wanted, and leaves those alone who stay', async (context) => {
  const run = keeping(context, 1);
  run.says('Training', 3);
  assert.deepEqual(run.living(), ['trainer-0'], 'that was the status of the run before');
  run.says('Training', 3, begun);
  assert.deepEqual(run.living(), ['trainer-0', 'trainer-1', 'trainer-2']);
  run.says('Training', 1);
  await run.kill('trainer-1', 'SIGTERM');
  await run.kill('trainer-2', 'SIGTERM');
  assert.deepEqual(run.living(), ['trainer-0']);
  run.says('Training', 2);
  assert.deepEqual(run.living(), ['trainer-0', 'trainer-1']);
  assert.deepEqual(run.warnings, []);
});

it('starts nobody who is not wanted any more when the wait is over', async (context) => {
  const run = keeping(context, 2, (name, before) => (name === 'trainer-1' && before < 2 ? 'exit 1' : stays));
  run.says('Training', 2, begun);
  await until(() => run.waits().length === 1);
  run.says('Training', 1);
  assert.deepEqual(run.waits(), []);
  assert.deepEqual(run.living(), ['trainer-0']);
});

it('hears whether the job is over before it replaces one that was told to finish', async (context) => {
  const run = keeping(context, 1, () => 'read -r _');
  run.says('Training', 1, begun);
  run.children[0]?.tell('finish');
  await run.children[0]?.exited;
  assert.deepEqual(run.waits(), [1000]);
  run.says('Succeeded', 1);
  run.elapse();
  assert.equal(run.children.length, 1);
  assert.deepEqual(run.warnings, []);
});

const outOfMemory = "echo 'error [OutOfMemory] 3 GiB are missing' >&2; exit 1";

it('goes on without one that says why it gives up, until another number is wanted', async (context) => {
  const run = keeping(context, 1, (name, before) => (name === 'trainer-1' && before === 0 ? outOfMemory : stays));
  run.says('Training', 2, begun);
  await until(() => run.warnings.length === 1);
  assert.match(run.warnings[0] ?? '', /^trainer-1 .*: \[OutOfMemory\] trainer-1: 3 GiB .*; it is not started again$/);
  run.says('Training', 2);
  assert.deepEqual(run.living(), ['trainer-0']);
  run.says('Training', 3);
  assert.deepEqual(run.living(), ['trainer-0', 'trainer-1', 'trainer-2']);
  assert.deepEqual(run.lost, []);
});

it('tries those again who gave up once the job gathers, which waits for everybody', async (context) => {
  const run = keeping(context, 2, (name, before) => (name === 'trainer-1' && before === 0 ? outOfMemory : stays));
  run.says('Training', 2, begun);
  await until(() => run.warnings.length === 1);
  run.says('Gathering', 2);
  assert.deepEqual(run.living(), ['trainer-0', 'trainer-1']);
});

it('goes on without one that was refused', async (context) => {
  const run = keeping(context, 2);
  run.says('Training', 2, begun, {
    kind: 'trainerRefused',
    trainer: 'trainer-1',
    code: 'EngineClassMismatch',
    message: 'other bits',
  });
  await run.kill('trainer-1');
  assert.deepEqual(run.living(), ['trainer-0']);
  assert.deepEqual(run.warnings, [
    'trainer-1 was ended by SIGKILL: [EngineClassMismatch] other bits; it is not started again',
  ]);
});

it('cannot go on where one gives up before training', async (context) => {
  const run = keeping(context, 2, (name) => (name === 'trainer-1' ? outOfMemory : stays));
  run.says('Gathering', 2, begun);
  await until(() => run.lost.length === 1);
  assert.equal(run.lost[0]?.child.name, 'trainer-1');
});

it('replaces nobody, and reports nobody, when the run has been asked to end', async (context) => {
  const run = keeping(context, 2);
  run.says('Training', 2, begun);
  run.end();
  await run.kill('trainer-0');
  run.says('Training', 3);
  assert.deepEqual([run.living(), run.reported, run.warnings], [['trainer-1'], [], []]);
});

const ready = { kind: 'trainerReady', trainer: 'trainer-0' };

function joined(pid: number): object {
  return { kind: 'trainerJoined', trainer: 'trainer-0', pid };
}
