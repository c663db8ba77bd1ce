import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { SampleColumns } from './manifest.ts';
import { shardTrainSet } from './shards.ts';

const none: SampleColumns = { ids: [], paths: [], labels: [], byteLengths: [] };

function aSet(labels: number[]): SampleColumns {
  const ids = labels.map((_, i) => `sample-${i}`);
  return { ids, paths: ids, labels, byteLengths: labels.map(() => 1) };
}

test('every row is in exactly one shard, and sizes and class counts differ by at most one', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3), { maxLength: 200 }), fc.integer({ min: 1, max: 16 }), (labels, count) => {
      const classes = ['a', 'b', 'c', 'd'];
      const shards = shardTrainSet({ classes, sets: { train: aSet(labels), validation: none, test: none } }, count);
      const rows = shards.flatMap((shard) => [...shard]).sort((a, b) => a - b);
      assert.deepEqual(rows, [...labels.keys()]);
      for (const label of [null, 0, 1, 2, 3]) {
        const sizes = shards.map((shard) => [...shard].filter((row) => label === null || labels[row] === label).length);
        assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1, `sizes ${sizes}`);
      }
    }),
  );
});
