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
    const ending = await endingOf(run, { status: null, lost: { child, code: 'TrainerLost', message: 'it ended' } });
    assert.deepEqual(ending, {
      kind: 'failed',
      code,
      message,
      kept: 'Nothing was written.',
      logLines: ['a line before', line],
    });
  });
}

const nextTimes = [
  { what: 'no stage has ended', event: 'stageStarted', fresh: false, bytes: '1', said: 'starts anew' },
  {
    what: 'a stage has ended',
    event: 'stageEnded',
    fresh: false,
    bytes: '1',
    said: 'goes on after the stages that are done',
  },
  {
    what: 'a stage was reused',
    event: 'stageReused',
    fresh: false,
    bytes: '1',
    said: 'goes on after the stages that are done',
  },
  { what: 'it trains every stage', event: 'stageEnded', fresh: true, bytes: '1', said: 'starts anew' },
  { what: 'no stage is kept', event: 'stageEnded', fresh: false, bytes: '0', said: 'starts anew' },
] as const;

for (const { what, event, fresh, bytes, said } of nextTimes) {
  test(`the same command ${said} where ${what}`, async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'thaw-ending-'));
    const out = path.join(folder, 'out');
    await mkdir(out);
    await writeFile(path.join(out, 'events.jsonl'), `{"id":"1.1","kind":"${event}"}\n`);
    const run = {
      out,
      stopping: { asked: false },
      children: [{ name: 'nats-server' }],
      options: { fresh },
      world: { cwd: folder, env: { THAW_STAGE_BYTES: bytes } },
    } as unknown as Run;
    const ending = endingOfError(run, new ThawError('BrokerLost', 'gone'));
    await rm(folder, { recursive: true });
    assert.equal(
      ending.kind === 'failed' && ending.kept,
      `Kept: events in out/events.jsonl. No model was written; the same command ${said}.`,
    );
  });
}
