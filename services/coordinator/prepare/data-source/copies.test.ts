import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { copiesWarning, type FiledSample } from './copies.ts';

const file = (id: string, set: FiledSample['set'], sha256 = id): FiledSample => ({ id, set, sha256 });

describe('files in more than one set', () => {
  const cases: readonly (readonly [what: string, samples: readonly FiledSample[], said: RegExp | null])[] = [
    ['none', [file('a', 'train'), file('b', 'test')], null],
    ['a copy within a set', [file('a', 'train'), file('b', 'train', 'a')], null],
    [
      'one in the test set',
      [file('t', 'test', 'a'), file('a', 'train')],
      /^1 file is in another set too, byte for byte, .*: test t is train a$/,
    ],
    [
      'more than are named, validation first',
      ['v1', 'v2', 't1', 't2', 't3']
        .map((id) => file(id, id.startsWith('v') ? 'validation' : 'test', 'x'))
        .concat([file('a', 'train', 'x')]),
      /^5 files are .*: validation v1 is train a, validation v2 is train a, test t1 is train a, and 2 more$/,
    ],
  ];
  for (const [what, samples, said] of cases) {
    it(what, () => {
      if (said === null) assert.equal(copiesWarning(samples), null);
      else assert.match(copiesWarning(samples) ?? 'nothing', said);
    });
  }
});
