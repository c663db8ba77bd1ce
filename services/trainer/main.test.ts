import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('./main.ts', import.meta.url));

function startWith(env: NodeJS.ProcessEnv) {
  return spawnSync(process.execPath, ['--import', 'tsx', program], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    encoding: 'utf8',
  });
}

const refused = [
  { env: {}, said: /THAW_COORDINATOR is not set; expected the host:port/ },
  ...['abc', '1e9', '-1', '12 MB', '9007199254740993'].map((bytes) => ({
    env: { THAW_COORDINATOR: '127.0.0.1:1', THAW_FEATURE_BYTES: bytes },
    said: new RegExp(`THAW_FEATURE_BYTES: found "${bytes}"; expected a whole number of bytes, 0 or more`),
  })),
];

for (const { env, said } of refused) {
  test(`a trainer does not start with ${JSON.stringify(env)}`, () => {
    const { status, stderr } = startWith(env);
    assert.equal(status, 1, stderr);
    assert.match(stderr, said);
  });
}
