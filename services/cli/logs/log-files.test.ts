import assert from 'node:assert/strict';
import { appendFile } from 'node:fs/promises';
import path from 'node:path';
import { it } from 'node:test';
import { temporaryFolder } from '../../../test/support/fixtures/temporary-folder.ts';
import { openLogFiles } from './log-files.ts';

const line = (msg: string): string =>
  `{"level":30,"time":"2026-01-05T12:00:00.000Z","name":"trainer-0","msg":"${msg}"}\n`;

it('reads each line once, and a torn one when it is whole', async (context) => {
  const folder = await temporaryFolder(context);
  const file = path.join(folder, 'trainer-0.jsonl');
  const files = openLogFiles(folder, null);
  const read = async (): Promise<string[]> => (await files.read()).map(({ message }) => message);
  assert.deepEqual(await read(), []);
  await appendFile(file, line('größer') + line('second').slice(0, 30));
  assert.deepEqual(await read(), ['größer']);
  assert.deepEqual(await read(), []);
  await appendFile(file, line('second').slice(30));
  assert.deepEqual(await read(), ['second']);
});

it('has nothing to read where no run has come to its logs', async (context) => {
  const folder = path.join(await temporaryFolder(context), 'logs');
  assert.deepEqual(await openLogFiles(folder, null).read(), []);
});
