import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startChild } from './child.ts';

const lastWords: readonly { readonly of: string; readonly args: readonly string[]; readonly expected: RegExp }[] = [
  {
    of: 'a process that lacks a package',
    args: ['--input-type=module', '--eval', "import 'no-such-package';"],
    expected: /^Error \[ERR_MODULE_NOT_FOUND\]: Cannot find package 'no-such-package'/,
  },
  {
    of: 'an uncaught error',
    args: ['--eval', "throw new TypeError('three: of them')"],
    expected: /^TypeError: three: of them$/,
  },
  {
    of: 'a process that names no error',
    args: ['--eval', 'for (const i of [1, 2, 3, 4]) console.error(i); process.exitCode = 1'],
    expected: /^2 \/ 3 \/ 4$/,
  },
];

for (const { of, args, expected } of lastWords) {
  test(`the last words of ${of} say why it ended`, async () => {
    const child = startChild({ name: 'child', command: process.execPath, args, env: process.env, stderrFile: null });
    assert.equal((await child.exited).code, 1);
    assert.match(child.lastWords(), expected);
  });
}
