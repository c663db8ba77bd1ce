import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { repositoryRoot } from '../setup/locations.mjs';
import { messageTypes } from './message-types.ts';
import { staleFiles } from './stale-files.ts';

test('a generated file is stale when it is missing, differs, or is made no more', async (t) => {
  const root = await mkdtemp(path.join(tmpdir(), 'thaw-stale-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  await mkdir(path.join(root, 'gen', 'inner'), { recursive: true });
  const present = { 'a.md': 'a', 'gen/b.ts': 'b', 'gen/inner/c.ts': 'old', 'gen/inner/gone.ts': 'd', 'other.md': 'e' };
  for (const [name, text] of Object.entries(present)) await writeFile(path.join(root, name), text);
  const texts = new Map([
    ['a.md', 'a'],
    ['gen/b.ts', 'b'],
    ['gen/inner/c.ts', 'new'],
    ['gen/new.ts', 'n'],
  ]);
  assert.deepEqual(await staleFiles(root, { texts, folders: ['gen', 'no-such-folder'] }), [
    { name: 'gen/inner/c.ts', why: 'differs from what is generated' },
    { name: 'gen/new.ts', why: 'is missing' },
    { name: 'gen/inner/gone.ts', why: 'is not generated any more' },
  ]);
});

test('the message types in proto/gen are what the generator of proto-loader makes', async () => {
  const texts = new Map(await messageTypes(repositoryRoot));
  assert.match(texts.get('proto/gen/thaw/v1/Train.ts') ?? '', /'firstStep': \(number\);/, '64-bit fields are numbers');
  assert.match(texts.get('proto/gen/session.ts') ?? '', /from '\.\/thaw\/v1\/Train\.ts'/, 'imports end in .ts');
  assert.deepEqual(await staleFiles(repositoryRoot, { texts, folders: ['proto/gen'] }), []);
});
