import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { axisOf, scaleOf, wholeTicks } from './axis.ts';

const value = fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((x) => (Math.abs(x) < 1e-6 ? 0 : x));

it('covers its values with a few round ticks', () => {
  fc.assert(
    fc.property(fc.array(value, { maxLength: 8 }), fc.integer({ min: 3, max: 9 }), (values, ticksMax) => {
      const { low, high, ticks } = axisOf(values, ticksMax);
      const [least, most] = values.length === 0 ? [0, 1] : [Math.min(...values), Math.max(...values)];
      const slack = (high - low) * 1e-6;
      assert.ok(low <= least + slack && high >= most - slack, `${low}..${high} holds ${least}..${most}`);
      assert.ok(ticks.length >= 2 && ticks.length <= ticksMax, `${ticks.length} ticks`);
      const step = (ticks[1] as number) - (ticks[0] as number);
      const leading = step / 10 ** Math.floor(Math.log10(step * 1.0001));
      assert.ok(
        [1, 2, 5].some((round) => Math.abs(leading - round) < 1e-3),
        `steps of ${step}`,
      );
    }),
  );
});

const axes: readonly (readonly [values: readonly number[], ticks: readonly number[]])[] = [
  [[0, 1], [0, 0.2, 0.4, 0.6, 0.8, 1]],
  [[0.44, 0.99], [0.4, 0.6, 0.8, 1]],
  [[0.001, 0.003], [0.001, 0.0015, 0.002, 0.0025, 0.003]],
  [[Number.NaN, Number.POSITIVE_INFINITY, 2, 4], [2, 2.5, 3, 3.5, 4]],
]; // biome-ignore format: a table

it('takes the ticks that one would draw by hand', () => {
  for (const [values, ticks] of axes) assert.deepEqual(axisOf(values, 6).ticks, ticks);
});

it('counts epochs in whole ticks, from the first one', () => {
  assert.deepEqual(wholeTicks(1, 20, 8), [1, 5, 10, 15, 20]);
  assert.deepEqual(wholeTicks(1, 5, 8), [1, 2, 3, 4, 5]);
  assert.deepEqual(wholeTicks(3, 3, 8), [3]);
  fc.assert(
    fc.property(fc.nat(1000), fc.nat(10_000), (first, length) => {
      const ticks = wholeTicks(first, first + length, 8);
      assert.ok(ticks.length <= 9 && ticks[0] === first);
      assert.ok(ticks.every((tick) => Number.isInteger(tick) && tick <= first + length));
      assert.deepEqual(
        ticks,
        [...new Set(ticks)].sort((a, b) => a - b),
      );
    }),
  );
});

it('puts a range without width in the middle', () => {
  assert.equal(scaleOf([2, 2], [0, 10])(2), 5);
  assert.equal(scaleOf([0, 4], [100, 0])(1), 75);
});
