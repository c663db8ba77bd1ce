import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startChild } from '../processes/child.ts';
import type { Run } from './run.ts';
import { endingOf } from './run-ending.ts';

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
