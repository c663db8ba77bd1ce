import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { durationText, groupedText, lossText, percentText, plural, rateText, secondsText } from './number-text.ts';

interface Cases {
  readonly what: string;
  readonly format: (value: number) => string;
  readonly cases: readonly (readonly [number, string])[];
}

const table: readonly Cases[] = [
  {
    what: 'losses',
    format: lossText,
    cases: [
      [0, '0.0000'],
      [0.43118, '0.4312'],
      [9.99996, '10.000'],
      [12.34567, '12.346'],
      [1234.56, '1234.6'],
      [99_998.4, ' 99998'],
      [12_345_678, '1.2e+7'],
      [Number.NaN, '     –'],
    ],
  },
  {
    what: 'ratios',
    format: percentText,
    cases: [
      [0.0909, '  9.1 %'],
      [1, '100.0 %'],
      [Number.NaN, '    – %'],
    ],
  },
  {
    what: 'durations',
    format: durationText,
    cases: [
      [-1, '0:00'],
      [42.9, '0:42'],
      [725, '12:05'],
      [11_229, '3:07:09'],
      [360_000, '100:00:00'],
      [Number.POSITIVE_INFINITY, '–'],
    ],
  },
  {
    what: 'seconds',
    format: secondsText,
    cases: [
      [12.34, '12.3 s'],
      [59.94, '59.9 s'],
      [59.96, '0:59'],
      [245, '4:05'],
    ],
  },
  {
    what: 'rates',
    format: rateText,
    cases: [
      [3.14, '3.1'],
      [99.96, '100'],
      [320.4, '320'],
    ],
  },
  {
    what: 'counts',
    format: groupedText,
    cases: [
      [999, '999'],
      [1_234_567, '1,234,567'],
    ],
  },
];

for (const { what, format, cases } of table) {
  describe(what, () => {
    for (const [value, text] of cases) {
      it(`${value} is "${text}"`, () => assert.equal(format(value), text));
    }
  });
}

it('keeps columns of losses and ratios aligned', () => {
  const plausible = fc.double({ min: 0, max: 1e90, noNaN: true });
  fc.assert(fc.property(plausible, (loss) => assert.ok(lossText(loss).length <= 7, lossText(loss))));
  const typical = fc.double({ min: 0, max: 1e9, noNaN: true });
  fc.assert(fc.property(typical, (loss) => assert.equal(lossText(loss).length, 6, lossText(loss))));
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (ratio) => assert.equal(percentText(ratio).length, 7)),
  );
});

it('counts one thing without an s', () => {
  assert.deepEqual(
    [0, 1, 2].map((count) => plural(count, 'step')),
    ['0 steps', '1 step', '2 steps'],
  );
});
