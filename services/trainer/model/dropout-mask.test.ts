import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { dropoutMask, type MaskOptions } from './dropout-mask.ts';

const floats = 64;
const base = { seed: 3, layer: 'head/dropout', rate: 0.3, epoch: 2 };

function maskOf(sampleIds: readonly string[], changes: Partial<MaskOptions> = {}): Float32Array {
  return dropoutMask({ ...base, sampleIds, shape: [sampleIds.length, floats], ...changes });
}

function rowOf(mask: Float32Array, row: number): number[] {
  return [...mask.subarray(row * floats, (row + 1) * floats)];
}

test('the rate is respected, and what is kept makes up for what is dropped', () => {
  for (const rate of [0, 0.1, 0.5, 0.9]) {
    const ids = Array.from({ length: 400 }, (_, i) => `sample-${i}`);
    const mask = maskOf(ids, { rate });
    const kept = mask.filter((value) => value !== 0);
    assert.ok(kept.every((value) => value === Math.fround(1 / (1 - rate))));
    const deviations = 5 * Math.sqrt((rate * (1 - rate)) / mask.length);
    assert.ok(Math.abs(kept.length / mask.length - (1 - rate)) <= deviations, `kept ${kept.length} of ${mask.length}`);
  }
});

test("a sample's mask does not depend on its neighbours, its row, or its shard", () => {
  const ids = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(ids, fc.nat(11), (sampleIds, place) => {
      const row = place % sampleIds.length;
      const alone = rowOf(maskOf([sampleIds[row] as string]), 0);
      assert.deepEqual(rowOf(maskOf(sampleIds), row), alone);
      const turned = [...sampleIds.slice(row), ...sampleIds.slice(0, row)];
      assert.deepEqual(rowOf(maskOf(turned), 0), alone);
    }),
  );
});

test('masks differ by sample, layer, epoch and seed', () => {
  const masks = [
    maskOf(['a']),
    maskOf(['b']),
    maskOf(['a'], { layer: 'head/dropout_1' }),
    maskOf(['a'], { epoch: 3 }),
    maskOf(['a'], { seed: 4 }),
  ];
  assert.equal(new Set(masks.map((mask) => mask.join())).size, masks.length);
});

test('padding rows keep everything', () => {
  const mask = maskOf(['a'], { shape: [3, floats] });
  assert.ok(mask.subarray(floats).every((value) => value === 1));
});
