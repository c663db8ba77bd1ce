import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, it } from 'node:test';
import { digestOf } from '@thaw/common/content/digest.ts';
import { type BlobStore, diskBlobStore } from './blob-store.ts';

let folder = '';
let store: BlobStore;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'thaw-blobs-'));
  store = diskBlobStore(path.join(folder, 'blobs'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('gives back what was put in, whole or from an offset', async () => {
  const digest = await store.put('hello blob');
  assert.equal(digest, digestOf('hello blob'));
  assert.equal(Buffer.from(await store.read(digest)).toString(), 'hello blob');
  const chunks: Buffer[] = [];
  for await (const chunk of store.stream(digest, 6)) chunks.push(chunk);
  assert.equal(Buffer.concat(chunks).toString(), 'blob');
});

it('hashes chunks on the way in and leaves no temporary file', async () => {
  const writer = await store.writer();
  await writer.write(Buffer.from('hello '));
  await writer.write(Buffer.from('blob'));
  assert.deepEqual(await writer.finish(), { digest: digestOf('hello blob'), bytes: 10 });
  const aborted = await store.writer();
  await aborted.write(Buffer.from('half'));
  await aborted.abort();
  assert.deepEqual(await readdir(path.join(folder, 'blobs')), [digestOf('hello blob').replace(':', '-')]);
});

it('finds a torn blob by its digest, and removes it', async () => {
  const digest = await store.put('hello blob');
  await writeFile(path.join(folder, 'blobs', digest.replace(':', '-')), 'hello');
  const again = diskBlobStore(path.join(folder, 'blobs'));
  await assert.rejects(again.read(digest), { code: 'BlobCorrupt' });
  await assert.rejects(again.read(digest), { code: 'BlobNotFound' });
  assert.equal(await again.put('hello blob'), digest);
});

it('removes every blob but those that are needed', async () => {
  const [kept, other] = [await store.put('needed'), await store.put('left over')];
  await store.removeOthers(new Set([kept]));
  assert.equal(Buffer.from(await store.read(kept)).toString(), 'needed');
  assert.deepEqual(await readdir(path.join(folder, 'blobs')), [kept.replace(':', '-')]);
  await assert.rejects(store.verify(other), { code: 'BlobNotFound' });
});

it('removes a useless blob, unless it was stored again meanwhile', async () => {
  const digest = await store.put('equal states');
  const [first, second] = [store.remover(digest), store.remover(digest)];
  await first();
  await assert.rejects(store.verify(digest), { code: 'BlobNotFound' });
  const writer = await store.writer();
  await writer.write(Buffer.from('equal states'));
  await writer.finish();
  await second();
  assert.equal(await store.verify(digest), 12);
  const late = store.remover(digest);
  await store.put('equal states');
  await late();
  assert.equal(await store.verify(digest), 12, 'also where it did not have to be written again');
});

it('never leaves its folder, whatever is asked for', async () => {
  await assert.rejects(store.verify('sha256:../../etc/passwd'), { code: 'BlobNotFound' });
});

it('says the path when it cannot write', async () => {
  await writeFile(path.join(folder, 'file'), '');
  const misplaced = diskBlobStore(path.join(folder, 'file', 'blobs'));
  await assert.rejects(misplaced.put('x'), (error: Error) => {
    assert.match(error.message, /storing a blob failed at .*file.*blobs: a part of the path is a file/);
    return true;
  });
});
