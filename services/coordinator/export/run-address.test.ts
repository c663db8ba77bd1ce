import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { it } from 'node:test';
import { temporaryFolder } from '../../../test/support/fixtures/temporary-folder.ts';
import { resultFiles } from './result-files.ts';
import { dialled, readRunAddress, removeRunAddress, writeRunAddress } from './run-address.ts';

const where = { address: '127.0.0.1:4711', pid: 7, uid: '01TEST' };

it('is found while the coordinator is there, and not when it has gone', async (context) => {
  const out = path.join(await temporaryFolder(context), 'out');
  assert.equal(await readRunAddress(out), null);
  await writeRunAddress(out, where);
  assert.deepEqual(await readRunAddress(out), { version: 1, ...where });
  await removeRunAddress(out, 8);
  assert.deepEqual(await readRunAddress(out), { version: 1, ...where }, 'it is not the address of process 8');
  await removeRunAddress(out, 7);
  assert.equal(await readRunAddress(out), null);
});

it('is refused in a version that is not known', async (context) => {
  const out = await temporaryFolder(context);
  const file = resultFiles(out).coordinator;
  await mkdir(path.dirname(file));
  await writeFile(file, JSON.stringify({ version: 2, ...where }));
  await assert.rejects(readRunAddress(out), { code: 'VersionUnknown', message: /has version 2; .* knows version 1/ });
});

for (const [listen, address] of [
  ['127.0.0.1:0', '127.0.0.1:4711'],
  ['0.0.0.0:0', '127.0.0.1:4711'],
  ['[::]:4711', '[::1]:4711'],
  ['trainer.local:0', 'trainer.local:4711'],
] as const) {
  it(`is ${address} of a coordinator that listens on ${listen}`, () => assert.equal(dialled(listen, 4711), address));
}
