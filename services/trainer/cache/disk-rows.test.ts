import assert from 'node:assert/strict';
import { chmod, readdir, stat, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Logger } from '@thaw/common/log/logger.ts';
import { temporaryFolder } from '../../../test/support/fixtures/temporary-folder.ts';
import { diskRows } from './disk-rows.ts';
import { noFeatureCounts } from './feature-counts.ts';
import type { Entry, Level, SampleRef } from './level.ts';
import { packBlockBytes, packHeaderBytes } from './pack-file.ts';
import { markUsed, storedLevels } from './pack-folder.ts';

const rowBytes = 64;
const aLevel = (digit: string): Level => ({ key: digit.repeat(64), name: `level ${digit}`, rowBytes });
const level = aLevel('a');
const refs = (...indices: number[]): SampleRef[] => indices.map((index) => ({ set: 'train', index, view: 0 }));
const rowOf = ({ index }: SampleRef): Uint8Array => new Uint8Array(rowBytes).fill(index + 1);
const entries = (...indices: number[]): Entry[] => refs(...indices).map((ref) => [ref, rowOf(ref)]);

/** As another process would open it. */
function opened(root: string, { budgetBytes = 1e6, content = 'content' } = {}) {
  const warnings: string[] = [];
  const log = { warn: (_: object, text: string) => warnings.push(text), info: () => {} } as unknown as Logger;
  const counts = noFeatureCounts();
  const keyOf = ({ index }: SampleRef): string => Buffer.from(`${content} ${index}`.padEnd(16)).toString('hex');
  const rows = diskRows({ root, budgetBytes, keyOf, counts, log, now: () => new Date(5000) });
  rows.retain([level]);
  return { rows, counts, warnings };
}

async function filled(context: TestContext, ...indices: number[]) {
  const root = await temporaryFolder(context);
  const { rows } = opened(root);
  rows.allot([{ level, refs: refs(...indices) }]);
  rows.append(level, entries(...indices));
  const folder = path.join(root, level.key);
  const [pack = ''] = (await readdir(folder)).filter((name) => name.endsWith('.pack'));
  return { root, rows, pack: path.join(folder, pack) };
}

async function bytesUnder(root: string): Promise<number> {
  const files = await readdir(root, { recursive: true, withFileTypes: true });
  const sizes = files
    .filter((file) => file.isFile())
    .map(async (file) => (await stat(path.join(file.parentPath, file.name))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

test('another process reads what one wrote, once it has proved it', async (context) => {
  const { root } = await filled(context, 0, 1, 2);
  const { rows, counts, warnings } = opened(root);
  assert.equal(rows.isProven(level), false);
  for (const ref of refs(0, 1, 2)) assert.deepEqual(new Uint8Array(rows.read(level, ref) ?? []), rowOf(ref));
  assert.equal(rows.has(level, { set: 'train', index: 3, view: 0 }), false);
  assert.deepEqual([counts.corrupt, warnings], [0, []]);
  rows.leave(level);
  assert.equal(rows.has(level, { set: 'train', index: 0, view: 0 }), false);
});

test('a file with other content finds no row', async (context) => {
  const { root } = await filled(context, 0);
  const { rows } = opened(root, { content: 'changed' });
  assert.equal(rows.read(level, { set: 'train', index: 0, view: 0 }), undefined);
});

const damages: [string, (pack: string) => Promise<void>, readable: number][] = [
  ['a row with another bit', (pack) => overwrite(pack, -1, 0xff), 2],
  ['an index with another bit', (pack) => overwrite(pack, packHeaderBytes + 9, 0xff), 0],
  ['another version', (pack) => overwrite(pack, 8, 2), 0],
  ['half a block at its end', (pack) => truncate(pack, packHeaderBytes + packBlockBytes(3, rowBytes) - 70), 0],
  ['nothing but half a header', (pack) => truncate(pack, 20), 0],
];

async function overwrite(file: string, at: number, byte: number): Promise<void> {
  const { readFile } = await import('node:fs/promises');
  const bytes = await readFile(file);
  bytes[at < 0 ? bytes.length + at : at] = byte;
  await writeFile(file, bytes);
}

for (const [what, damage, readable] of damages) {
  test(`${what}: counted, said with its file, and never served`, async (context) => {
    const { root, pack } = await filled(context, 0, 1, 2);
    await damage(pack);
    const { rows, counts, warnings } = opened(root);
    const found = refs(0, 1, 2).map((ref) => rows.read(level, ref));
    assert.equal(found.filter((row) => row !== undefined).length, readable);
    assert.equal(counts.corrupt, 1);
    assert.match(warnings.join(), /damaged: .*a{64}/);
  });
}

test('a damaged row is written anew', async (context) => {
  const { root, pack } = await filled(context, 0, 1, 2);
  await overwrite(pack, -1, 0xff);
  const { rows } = opened(root);
  const [, , last] = refs(0, 1, 2) as [SampleRef, SampleRef, SampleRef];
  assert.equal(rows.read(level, last), undefined);
  rows.allot([{ level, refs: [last] }]);
  rows.append(level, [[last, rowOf(last)]]);
  assert.deepEqual(new Uint8Array(rows.read(level, last) ?? []), rowOf(last));
});

test('two writers share one folder and never pass its budget', async (context) => {
  const root = await temporaryFolder(context);
  const budgetBytes = 4000;
  const all = Array.from({ length: 60 }, (_, i) => i);
  const writers = [opened(root, { budgetBytes }), opened(root, { budgetBytes })];
  for (const { rows } of writers) rows.allot([{ level, refs: refs(...all) }]);
  for (const index of all) {
    writers[index % 2]?.rows.append(level, entries(index));
    assert.ok((await bytesUnder(root)) <= budgetBytes);
  }
  assert.ok((await bytesUnder(root)) > budgetBytes / 2);
  const { rows } = opened(root);
  const held = refs(...all).filter((ref) => rows.read(level, ref) !== undefined).length;
  assert.ok(held > 15 && held < 60, `${held} rows`);
});

test('what other jobs left makes room, the longest unused first', async (context) => {
  const { root } = await filled(context, 0, 1, 2);
  const [former, newer] = [aLevel('b'), aLevel('c')];
  for (const [other, usedAt] of [
    [former, 1000],
    [newer, 2000],
  ] as const) {
    const { rows } = opened(root);
    rows.retain([other]);
    rows.allot([{ level: other, refs: refs(0, 1, 2) }]);
    rows.append(other, entries(0, 1, 2));
    markUsed(root, other, new Date(usedAt));
  }
  const keysNow = (): string[] => storedLevels(root).map(({ key }) => key);
  assert.deepEqual(keysNow(), [former.key, newer.key, level.key]);
  const { rows } = opened(root, { budgetBytes: (await bytesUnder(root)) + 100 });
  rows.allot([{ level, refs: refs(0, 1, 2, 3) }]);
  assert.deepEqual(keysNow(), [newer.key, level.key]);
  rows.append(level, entries(3));
  assert.ok(rows.has(level, { set: 'train', index: 3, view: 0 }));
});

test('a level is marked as used by the clock that was given', async (context) => {
  const { root } = await filled(context, 0);
  assert.deepEqual(
    storedLevels(root).map(({ usedAt }) => usedAt),
    [5000],
  );
});

test('a level that is left alone gets no room, and makes none', async (context) => {
  const { root } = await filled(context, 0, 1, 2);
  const other = aLevel('b');
  markUsed(root, other, new Date(1000));
  const { rows } = opened(root, { budgetBytes: (await bytesUnder(root)) + 2 * packBlockBytes(1, rowBytes) });
  rows.allot([{ level, refs: refs(0, 1, 2, 3) }]);
  assert.equal(rows.roomFor(level), 1);
  rows.leave(level);
  assert.deepEqual([rows.isLeft(level), rows.roomFor(level)], [true, 0]);
  rows.allot([{ level, refs: refs(0, 1, 2, 3, 4, 5, 6, 7) }]);
  assert.equal(rows.roomFor(level), 0);
  assert.ok(storedLevels(root).some(({ key }) => key === other.key));
  rows.append(level, entries(3));
  assert.equal(rows.bytesWritten, 0);
});

test('a folder that takes no writing ends it with one warning', {
  skip: process.getuid?.() === 0 && 'root may write anywhere',
}, async (context) => {
  const root = await temporaryFolder(context);
  await chmod(root, 0o500);
  const { rows, warnings } = opened(root);
  rows.allot([{ level, refs: refs(0, 1) }]);
  rows.append(level, entries(0));
  rows.append(level, entries(1));
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] as string, /keeps nothing more on disk: EACCES/);
});

test('a folder that cannot be made ends writing with one warning', async (context) => {
  const folder = await temporaryFolder(context);
  const root = path.join(folder, 'a-file');
  await writeFile(root, '');
  const { rows, warnings } = opened(root);
  rows.allot([{ level, refs: refs(0, 1) }]);
  rows.append(level, entries(0));
  assert.equal(rows.has(level, { set: 'train', index: 0, view: 0 }), false);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] as string, /the job goes on without/);
});
