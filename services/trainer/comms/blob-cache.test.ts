import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { digestOf } from '@thaw/common/content/digest.ts';
import { blobCache } from './blob-cache.ts';

test('a blob is held until its bytes change, and a changed one is removed', async (context) => {
  const directory = await mkdtemp(path.join(tmpdir(), 'thaw-blobs-'));
  context.after(() => rm(directory, { recursive: true }));
  const cache = blobCache(directory);
  const bytes = new Uint8Array([1, 2, 3]);
  const digest = digestOf(bytes);
  assert.equal(await cache.read(digest), null);
  await cache.write(digest, bytes);
  assert.deepEqual([...((await cache.read(digest)) ?? [])], [1, 2, 3]);
  const [file] = await readdir(directory);
  await writeFile(path.join(directory, file as string), new Uint8Array([1, 2]));
  assert.equal(await cache.read(digest), null);
  assert.deepEqual(await readdir(directory), []);
});
