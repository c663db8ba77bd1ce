import assert from 'node:assert/strict';
import { test } from 'node:test';
import { repositoryRoot } from '../setup/locations.mjs';
import { staleFiles } from './stale-files.ts';
import { vectorKernels } from './vector-kernels.ts';

test("the collective's loops are what their text compiles to, as valid WebAssembly", async () => {
  const texts = new Map([await vectorKernels(repositoryRoot)]);
  const [[, text = ''] = []] = texts;
  const code = Buffer.from(text.match(/'([A-Za-z0-9+/=]+)'/)?.[1] ?? '', 'base64');
  assert.equal(code.subarray(0, 4).toString('latin1'), '\0asm');
  assert.deepEqual(await staleFiles(repositoryRoot, { texts, folders: [] }), []);
});
