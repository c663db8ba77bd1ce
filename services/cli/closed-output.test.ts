// The real command line, with a reader that goes away.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('main.ts', import.meta.url));

/** Runs it with nobody reading the named output. */
async function unread(
  output: 'stdout' | 'stderr',
  args: readonly string[],
): Promise<{ status: number | null; said: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  child[output].destroy();
  let said = '';
  const other = output === 'stdout' ? child.stderr : child.stdout;
  other.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { status, said };
}

it('ends quietly with its own status when nobody reads any more', async () => {
  assert.deepEqual(await unread('stdout', ['schema']), { status: 0, said: '' });
  assert.deepEqual(await unread('stderr', ['validate', '/nowhere/job.yaml']), { status: 1, said: '' });
});

it('fails when the output cannot be written', {
  skip: existsSync('/dev/full') ? false : 'there is no /dev/full',
}, async () => {
  const command = `exec "$@" > /dev/full`;
  const child = spawn('/bin/sh', ['-c', command, 'sh', process.execPath, '--import', 'tsx', main, 'schema'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  assert.equal(status, 1);
  assert.match(said, /^error \[StorageFailed\] the output could not be written: .*no space left/);
});
