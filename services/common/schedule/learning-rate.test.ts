import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Curve } from '../job/resolved-job.ts';
import { learningRateAt } from './learning-rate.ts';

const curves: readonly Curve[] = ['constant', 'cosine', 'linear', 'oneCycle', 'slantedTriangular'];

test('warm-up rises linearly and reaches the rate at its last step', () => {
  const stage = { learningRate: 0.1, warmupSteps: 4, curve: 'constant' } as const;
  const rates = [0, 1, 2, 3, 4].map((stepInStage) => learningRateAt({ stage, stepInStage, stageSteps: 10 }));
  assert.deepEqual(rates, [0.025, 0.05, 0.1 * 3 / 4, 0.1, 0.1]); // biome-ignore format: the same expression as the code's
});

test('a rate is never negative and never above its peak', () => {
  const place = fc.record({ total: fc.integer({ min: 1, max: 500 }), at: fc.nat(499), warmup: fc.nat(20) });
  fc.assert(
    fc.property(fc.constantFrom(...curves), place, (curve, { total, at, warmup }) => {
      const stage = { learningRate: 1, warmupSteps: warmup, curve };
      const rate = learningRateAt({ stage, stepInStage: Math.min(at, total - 1), stageSteps: total });
      assert.ok(rate >= 0 && rate <= 1, `${rate}`);
    }),
  );
});

test('known points of the curves', () => {
  const at = (curve: Curve, stepInStage: number): number =>
    learningRateAt({ stage: { learningRate: 1, warmupSteps: 0, curve }, stepInStage, stageSteps: 100 });
  assert.equal(at('linear', 50), 0.5);
  assert.ok(Math.abs(at('cosine', 50) - 0.5) < 1e-12);
  assert.ok(Math.abs(at('oneCycle', 0) - 0.04) < 1e-12);
  assert.ok(Math.abs(at('oneCycle', 30) - 1) < 1e-12);
  assert.equal(at('slantedTriangular', 0), 1 / 32);
  assert.equal(at('slantedTriangular', 10), 1);
});
