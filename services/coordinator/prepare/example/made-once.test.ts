import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../../../test/support/fixtures/temporary-folder.ts';
import { madeOnce } from './made-once.ts';

test('two that make it at once both get a whole folder, and the third makes nothing', async (context) => {
  const parent = await temporaryFolder(context);
  const folder = path.join(parent, 'pictures');
  let made = 0;
  const make = async (work: string): Promise<void> => {
    made += 1;
    await writeFile(path.join(work, 'one'), 'picture');
  };
  const places = await Promise.all([madeOnce(folder, make), madeOnce(folder, make)]);
  assert.deepEqual(places, [folder, folder]);
  assert.equal(made, 2);
  await madeOnce(folder, make);
  assert.equal(made, 2);
  assert.equal(await readFile(path.join(folder, 'one'), 'utf8'), 'picture');
  assert.deepEqual(await readdir(parent), ['pictures']);
});

test('one that fails leaves nothing behind', async (context) => {
  const parent = await temporaryFolder(context);
  const failing = madeOnce(path.join(parent, 'pictures'), async (work) => {
    await writeFile(path.join(work, 'half'), '');
    throw new Error('disk full');
  });
  await assert.rejects(failing, /disk full/);
  assert.deepEqual(await readdir(parent), []);
});
