import assert from 'node:assert/strict';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { cacheDirectory as setUpCacheDirectory } from '../../../scripts/setup/locations.mjs';
import { cacheDirectory } from './cache-directory.ts';

const home = path.join(os.homedir(), '.cache', 'thaw');

const cases: [string, NodeJS.ProcessEnv, string][] = [
  ['THAW_CACHE', { THAW_CACHE: '/a', XDG_CACHE_HOME: '/b' }, '/a'],
  ['a relative THAW_CACHE, made absolute', { THAW_CACHE: 'a' }, path.resolve('a')],
  ['thaw/ in XDG_CACHE_HOME', { XDG_CACHE_HOME: '/b' }, '/b/thaw'],
  ['thaw/ in ~/.cache', {}, home],
  ['thaw/ in ~/.cache for empty variables', { THAW_CACHE: '', XDG_CACHE_HOME: '' }, home],
];

for (const [what, env, expected] of cases) {
  test(`the cache folder is ${what}, for Thaw and for its set-up`, () => {
    assert.equal(cacheDirectory(env), expected);
    assert.equal(setUpCacheDirectory(env), expected);
  });
}
