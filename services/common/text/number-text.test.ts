import assert from 'node:assert/strict';
import { it } from 'node:test';
import { bytesText, shortText } from './number-text.ts';

const cases: readonly (readonly [found: string, expected: string])[] = [
  [shortText(0.1), '0.1'],
  [shortText(0.0025), '0.0025'],
  [shortText(0.000025), '2.5e-5'],
  [shortText(0.00012345), '1.23e-4'],
  [shortText(0.1 + 0.2), '0.3'],
  [shortText(1_234_567), '1.23e+6'],
  [shortText(0), '0'],
  [shortText(Number.NaN), '–'],
  [bytesText(0), '0 B'],
  [bytesText(999), '999 B'],
  [bytesText(1000), '1.0 kB'],
  [bytesText(999_949), '999.9 kB'],
  [bytesText(999_950), '1.0 MB'],
  [bytesText(52_600_000), '52.6 MB'],
  [bytesText(2e18), '2000.0 PB'],
  [bytesText(Number.POSITIVE_INFINITY), '–'],
];

it('writes numbers and amounts as people read them', () => {
  for (const [found, expected] of cases) assert.equal(found, expected);
});
