import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { startChild } from '../processes/child.ts';
import type { Run } from './run.ts';
import { endingOf, endingOfError } from './run-ending.ts';

const cases = [
  {
    what: 'gives its code and reason',
    line: 'error [EngineClassMismatch] the coordinator refused this trainer: trainer-1 computes other bits than the job',
    code: 'EngineClassMismatch',
    message: 'trainer-1: the coordinator refused this trainer: trainer-1 computes other bits than the job',
  },
  { what: 'with an unknown code is lost', line: 'error [Unheard] of', code: 'TrainerLost', message: 'it ended' },
  { what: 'without a word is lost', line: 'Segmentation fault', code: 'TrainerLost', message: 'it ended' },
] as const;

for (const { what, line, code, message } of cases) {
  test(`a trainer that ends while the job has no verdict and ${what}`, async () => {
    const script = `console.error('a line before'); console.error(${JSON.stringify(line)}); process.exitCode = 1;`;
    const child = startChild({
      name: 'trainer-1',
      command: process.execPath,
      args: ['-e', script],
      env: {},
      stderrFile: null,
    });
    await child.exited;
    const run = {
      out: '/nowhere',
      stopping: { asked: false },
      children: [child],
      world: { cwd: '/' },
    } as unknown as Run;
    const ending = await endingOf(run, { jobEnd: null, lost: { child, code: 'TrainerLost', message: 'it ended' } });
    assert.deepEqual(ending, {
      kind: 'failed',
      code,
      message,
      kept: 'Nothing was written.',
      logLines: ['a line before', line],
    });
  });
}

const snapshot = (step: number): string =>
  `{"id":"1.1","kind":"snapshotStored","epoch":0,"step":${step},"digest":"x"}\n`;
const nextTimes = [
  { what: 'nothing had begun', events: null, said: 'the same command starts anew' },
  { what: 'there is no snapshot yet', events: '{"kind":"jobStarted"}\n', said: '`thaw run --resume out` goes on' },
  {
    what: 'there are snapshots',
    events: `${snapshot(7)}${snapshot(12)}{"kind":"jobFailed","step":9}\n`,
    said: '`thaw run --resume out` goes on after step 12',
  },
] as const;

for (const { what, events, said } of nextTimes) {
  test(`${said} where ${what}`, async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'thaw-ending-'));
    const out = path.join(folder, 'out');
    await mkdir(path.join(out, 'logs'), { recursive: true });
    if (events !== null) await writeFile(path.join(out, 'events.jsonl'), events);
    const run = {
      out,
      stopping: { asked: false },
      children: [{ name: 'nats-server' }],
      world: { cwd: folder, command: 'thaw' },
    } as unknown as Run;
    const ending = endingOfError(run, new ThawError('BrokerLost', 'gone'));
    await rm(folder, { recursive: true });
    assert.ok(ending.kind === 'failed');
    assert.ok(ending.kept.endsWith(`logs in out/logs. No model was written; ${said}.`), ending.kept);
  });
}
