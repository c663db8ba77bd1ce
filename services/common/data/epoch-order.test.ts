import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { stepsPerEpoch } from '../schedule/steps.ts';
import { epochOrder, microBatchRows } from './epoch-order.ts';

test('an epoch takes every sample of a shard once, in steps whose sizes differ by at most one', () => {
  const sizes = fc.record({ length: fc.integer({ min: 1, max: 300 }), microBatch: fc.integer({ min: 1, max: 40 }) });
  fc.assert(
    fc.property(sizes, fc.nat(5), ({ length, microBatch }, epoch) => {
      const rows = Uint32Array.from({ length }, (_, i) => 1000 + i);
      const order = epochOrder({ seed: 1, epoch, shard: 0, rows });
      const steps = stepsPerEpoch([length], microBatch);
      const batches = Array.from({ length: steps }, (_, stepInEpoch) =>
        microBatchRows({ order, stepInEpoch, stepsPerEpoch: steps }),
      );
      assert.deepEqual(
        batches.flatMap((batch) => [...batch]).sort((a, b) => a - b),
        [...rows],
      );
      const counts = batches.map((batch) => batch.length);
      assert.ok(Math.max(...counts) <= microBatch && Math.max(...counts) - Math.min(...counts) <= 1);
    }),
  );
});

test('order depends on seed, epoch and shard', () => {
  const rows = Uint32Array.from({ length: 50 }, (_, i) => i);
  const base = { seed: 1, epoch: 0, shard: 0, rows };
  const orders = [base, { ...base, seed: 2 }, { ...base, epoch: 1 }, { ...base, shard: 1 }].map((o) =>
    epochOrder(o).join(),
  );
  assert.equal(new Set(orders).size, orders.length);
  assert.equal(epochOrder(base).join(), orders[0]);
});
