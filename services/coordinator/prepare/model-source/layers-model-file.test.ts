import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rm, symlink, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import type { ErrorCode } from '@thaw/common/errors/catalogue.ts';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { temporaryFolder } from '../../../../test/support/fixtures/temporary-folder.ts';
import { tinyModel, writeTinyModel } from '../../../../test/support/fixtures/tiny-model.ts';
import { readLayersModelFile } from './layers-model-file.ts';

const { modelJson } = tinyModel();
const withPaths = (...paths: string[]): string =>
  JSON.stringify({ ...modelJson, weightsManifest: [{ paths, weights: [] }] });
const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;

type Change = (place: (name: string) => string) => unknown;

const refused: readonly (readonly [what: string, change: Change, code: ErrorCode, message: RegExp])[] = [
  ...['../secret', '/etc/passwd', 'sub/../../secret', '.', ''].map(
    (name) =>
      [
        `the weight file "${name}"`,
        (at: (name: string) => string) => writeFile(at('model.json'), withPaths(name)),
        'ModelInvalid',
        /^weight file ".*" lies outside of the model's folder /,
      ] as const,
  ),
  [
    'a weight file that is a device without end',
    async (at) => {
      await rm(at('weights.bin'));
      await symlink('/dev/zero', at('weights.bin'));
    },
    'SourceNotFound',
    /weights\.bin is no file/,
  ],
  [
    'a weight file that is a pipe nobody writes to',
    async (at) => {
      await rm(at('weights.bin'));
      execFileSync('mkfifo', [at('weights.bin')]);
    },
    'SourceNotFound',
    /weights\.bin is no file/,
  ],
  [
    'a weight file larger than can be read',
    (at) => truncate(at('weights.bin'), 2 ** 40),
    'ModelInvalid',
    /weights\.bin: found 1099511627776 bytes; expected at most 2147483647$/,
  ],
  [
    'a model.json larger than one is',
    (at) => truncate(at('model.json'), 2 ** 30),
    'ModelInvalid',
    /model\.json: found 1073741824 bytes; expected at most 67108864$/,
  ],
  [
    'a model.json that is nested without end',
    (at) => writeFile(at('model.json'), `{"modelTopology":${nested(100_000)},"weightsManifest":[]}`),
    'ModelInvalid',
    /model\.json: found JSON nested 200 deep; expected less$/,
  ],
];

for (const [what, change, code, message] of refused) {
  test(`refused: ${what}`, { timeout: 10_000 }, async (context) => {
    const folder = await writeTinyModel(await temporaryFolder(context));
    await change((name) => path.join(folder, name));
    await assert.rejects(readLayersModelFile('model.json', folder), (thrown) => {
      assert.ok(thrown instanceof ThawError, String(thrown));
      assert.equal(thrown.code, code);
      assert.match(thrown.message, message);
      return true;
    });
  });
}
