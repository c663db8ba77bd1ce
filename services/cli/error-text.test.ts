import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { errorText } from './error-text.ts';

it('says what the user can act on without a trace', () => {
  assert.equal(errorText(new ThawError('JobInvalid', 'line 3')), 'error [JobInvalid] line 3\n');
});

for (const defect of [new TypeError('x is undefined'), new ThawError('Internal', 'x is undefined')]) {
  it(`shows a ${defect.name} as a defect, its message and its trace once`, () => {
    const [first, ...frames] = errorText(defect).trimEnd().split('\n');
    assert.equal(first, 'error [Internal] x is undefined');
    assert.match(frames[0] ?? '', /^ {4}at .*error-text\.test\.ts/);
    assert.ok(
      frames.every((frame) => frame.startsWith('    at ')),
      frames.join('\n'),
    );
    assert.equal(new Set(frames).size, frames.length);
  });
}

it('names what is thrown and no error', () => assert.equal(errorText('boom').split('\n')[0], 'error [Internal] boom'));
