import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { thinPoints } from './thin-points.ts';

const lines = fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: 1, maxLength: 400 });

it('keeps the ends, the lowest and the highest, the order, and the limit', () => {
  fc.assert(
    fc.property(lines, fc.integer({ min: 4, max: 60 }), (values, pointsMax) => {
      const points = values.map((y, x) => ({ x, y }));
      const thin = thinPoints(points, pointsMax);
      assert.ok(thin.length <= pointsMax);
      assert.deepEqual([thin[0], thin.at(-1)], [points[0], points.at(-1)]);
      const extremes = (of: readonly { y: number }[]) => [
        Math.min(...of.map(({ y }) => y)),
        Math.max(...of.map(({ y }) => y)),
      ];
      assert.deepEqual(extremes(thin), extremes(points));
      const xs = thin.map(({ x }) => x);
      assert.ok(xs.every((x, i) => i === 0 || x > (xs[i - 1] as number)));
      if (points.length <= pointsMax) assert.equal(thin, points);
    }),
  );
});
