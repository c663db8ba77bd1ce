import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, it } from 'node:test';
import { listImages } from './list-images.ts';

let folder = '';

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'thaw-list-'));
  for (const file of [
    'a/2.png',
    'a/10.JPEG',
    'a/deep/er/3.webp',
    'a/.hidden/4.png',
    'a/notes.txt',
    'empty/x.txt',
    'odd.dat',
  ]) {
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
    await writeFile(path.join(folder, file), '');
  }
});
after(() => rm(folder, { recursive: true, force: true }));

it('takes files as they are named and the images of folders, in the order of the arguments', async () => {
  const { files, unreadable } = await listImages(['odd.dat', './a', 'a/2.png'], folder);
  assert.deepEqual(unreadable, []);
  assert.deepEqual(
    files.map(({ name }) => name),
    ['odd.dat', 'a/10.JPEG', 'a/2.png', 'a/deep/er/3.webp', 'a/2.png'],
  );
  for (const { name, file } of files) assert.equal(file, path.join(folder, name));
});

it('lists beside them what cannot be read, with the reason', async () => {
  const { files, unreadable } = await listImages(['gone.png', 'empty', 'odd.dat/x', '/dev/null', 'a/2.png'], folder);
  assert.deepEqual(
    files.map(({ name }) => name),
    ['a/2.png'],
  );
  assert.deepEqual(
    unreadable.map(({ name, reason }) => `${name} ${reason}`.replace(/ \(.*/, '')),
    [
      'gone.png does not exist',
      'empty holds no image',
      'odd.dat/x does not exist',
      '/dev/null is neither a file nor a folder',
    ],
  );
});
