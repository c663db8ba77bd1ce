import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { it } from 'node:test';
import { progressLine } from './progress-line.ts';

/** What a progress line writes at these moments, in milliseconds, each with 10 more of 100 done. */
function drawn(isTTY: boolean, moments: readonly number[]): string {
  const stderr = Object.assign(new PassThrough(), { isTTY }) as unknown as NodeJS.WriteStream;
  let now = 0;
  const progress = progressLine(stderr, { monotonic: () => now, wall: () => 0 });
  for (const [i, moment] of moments.entries()) {
    now = moment;
    progress.show('evaluated', 10 * (i + 1), 100);
  }
  progress.clear();
  return String((stderr as unknown as PassThrough).read() ?? '');
}

it('redraws one line with the time left, not more than ten times a second, and takes it away', () => {
  assert.equal(
    drawn(true, [1000, 1050, 3000]),
    '\revaluated 10 of 100, 0:09 left\u001b[K\revaluated 30 of 100, 0:07 left\u001b[K\r\u001b[K',
  );
});

it('says nothing to a pipe', () => assert.equal(drawn(false, [1000, 3000]), ''));
