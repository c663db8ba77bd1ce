import assert from 'node:assert/strict';
import { chmod, mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { temporaryFolder, writeFiles } from '../../../../test/support/fixtures/temporary-folder.ts';
import { listImageFolder } from './image-folder.ts';

const field = 'spec.data.source';

test('a sample’s id is its path below the root, its label the first folder', async (context) => {
  const root = await temporaryFolder(context);
  await writeFiles(root, { 'b/2.png': '', 'b/10.jpeg': '', 'a/deep/er/1.JPG': '', 'a/é.png': '', 'a/z.png': '' });
  const samples = await listImageFolder(root, field);
  assert.deepEqual(
    samples.map(({ id, label }) => [id, label]),
    [
      ['a/deep/er/1.JPG', 'a'],
      ['a/z.png', 'a'],
      ['a/é.png', 'a'],
      ['b/10.jpeg', 'b'],
      ['b/2.png', 'b'],
    ],
  );
  assert.equal(samples[0]?.file, path.join(root, 'a', 'deep', 'er', '1.JPG'));
});

test('hidden files and other files are passed over', async (context) => {
  const root = await temporaryFolder(context);
  await writeFiles(root, {
    'a/1.png': '',
    'a/._1.png': '',
    'a/.cache/2.png': '',
    'a/notes.txt': '',
    'a/Thumbs.db': '',
    '.git/x/3.png': '',
    'README.md': '',
  });
  assert.deepEqual(
    (await listImageFolder(root, field)).map(({ id }) => id),
    ['a/1.png'],
  );
});

test('links to files and folders are followed', async (context) => {
  const root = await temporaryFolder(context);
  await writeFiles(root, { 'store/x/1.png': '', 'store/2.png': '', 'set/a/own.png': '' });
  await symlink(path.join(root, 'store', 'x'), path.join(root, 'set', 'b'));
  await symlink(path.join(root, 'store', '2.png'), path.join(root, 'set', 'a', 'linked.png'));
  assert.deepEqual(
    (await listImageFolder(path.join(root, 'set'), field)).map(({ id, label }) => [id, label]),
    [
      ['a/linked.png', 'a'],
      ['a/own.png', 'a'],
      ['b/1.png', 'b'],
    ],
  );
});

test('a link that leads nowhere, or back, is refused', async (context) => {
  const root = await temporaryFolder(context);
  await writeFiles(root, { 'one/a/1.png': '', 'two/a/1.png': '' });
  await symlink(path.join(root, 'gone.png'), path.join(root, 'one', 'a', '2.png'));
  await assert.rejects(listImageFolder(path.join(root, 'one'), field), {
    code: 'SourceNotFound',
    message: /the link .*one\/a\/2\.png leads nowhere \(ENOENT\)/,
  });
  await symlink(path.join(root, 'two'), path.join(root, 'two', 'a', 'again'));
  await assert.rejects(listImageFolder(path.join(root, 'two'), field), {
    code: 'DataInvalid',
    message: /the link .*two\/a\/again leads back to /,
  });
});

test('what is no data set is refused with what was found', async (context) => {
  const root = await temporaryFolder(context);
  await writeFiles(root, { 'flat/1.png': '', 'flat/2.png': '', 'half/a/1.png': '', 'file.png': '' });
  await mkdir(path.join(root, 'empty'));
  await mkdir(path.join(root, 'half', 'b'));
  for (const [name, code, message] of [
    [
      'empty',
      'DataInvalid',
      /^spec\.data\.source: .*empty: found 0 entries and no folder; expected one folder per class/,
    ],
    ['flat', 'DataInvalid', /found 2 entries and no folder/],
    ['half', 'DataInvalid', /found the folders b without an image/],
    ['nothing', 'SourceNotFound', /cannot be read \(ENOENT\)/],
    ['file.png', 'SourceNotFound', /cannot be read \(ENOTDIR\)/],
  ] as const) {
    await assert.rejects(listImageFolder(path.join(root, name), field), { code, message });
  }
});

test('a folder that may not be read is refused', async (context) => {
  const root = await temporaryFolder(context);
  await writeFiles(root, { 'a/1.png': '', 'b/1.png': '' });
  await chmod(root, 0o755);
  await chmod(path.join(root, 'b'), 0);
  // Root reads everything, so it is nobody for as long as this takes.
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.('nobody');
  try {
    await assert.rejects(listImageFolder(root, field), {
      code: 'SourceNotFound',
      message: /b cannot be read \(EACCES\)/,
    });
  } finally {
    if (isRoot) process.seteuid?.(0);
    await chmod(path.join(root, 'b'), 0o700);
  }
});
