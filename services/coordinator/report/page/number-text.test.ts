import assert from 'node:assert/strict';
import { it } from 'node:test';
import { countText, dateText, percentText, scoreText, secondsText } from './number-text.ts';

const cases: readonly (readonly [found: string, expected: string])[] = [
  [percentText(0.962), '96.2 %'],
  [percentText(1), '100.0 %'],
  [percentText(0.9996), '> 99.9 %'],
  [percentText(0.9994), '99.9 %'],
  [percentText(Number.NaN), '–'],
  [scoreText(0.14032), '0.1403'],
  [scoreText(12.345), '12.35'],
  [scoreText(123456), '1.2e+5'],
  [secondsText(25.86), '25.9\u00a0s'],
  [secondsText(59.96), '1\u00a0min 00\u00a0s'],
  [secondsText(3599.9), '1\u00a0h 00\u00a0min'],
  [countText(1, 'class', 'classes'), '1 class'],
  [countText(1234567, 'sample'), '1\u202f234\u202f567 samples'],
  [dateText(Date.UTC(2026, 10, 24, 19, 30, 59)), '2026-11-24 19:30 UTC'],
];

it('writes numbers as people read them', () => {
  for (const [found, expected] of cases) assert.equal(found, expected);
});
