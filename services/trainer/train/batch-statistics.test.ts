import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StatisticsLayout } from '@thaw/common/model/batch-statistics.ts';
import { notANumber, sumVectors } from '@thaw/proto/frames/announcement.ts';
import fc from 'fast-check';
import {
  moveStatistics,
  pooledMoments,
  type StatisticsRule,
  shardStatistics,
  unsoundStatistics,
} from './batch-statistics.ts';
import { holdStatistics, type TrainState } from './train-state.ts';

const valuesPerSample = 3;
const layout: StatisticsLayout = {
  entries: [
    {
      path: 'bn',
      mean: 'bn/moving_mean',
      variance: 'bn/moving_variance',
      ...{ channels: 2, offset: 0, valuesPerSample, momentum: 0.9, epsilon: 1e-3 },
    },
  ],
  length: 4,
};

function aRule(mean: number, variance: number): StatisticsRule {
  const pair = (value: number) => ({ shape: [2], data: Float32Array.of(value, value) });
  const reference = new Map([
    ['bn/moving_mean', pair(mean)],
    ['bn/moving_variance', pair(variance)],
  ]);
  return { layout, reference, samplesMax: 64, contributionsMax: 8 };
}

/** Mean and biased variance by their definition, in float64. */
function momentsOf(values: readonly number[]): [mean: number, variance: number] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return [mean, values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length];
}

/** What the engine measures on a shard, both channels alike but for a factor. */
function measured(values: readonly number[]): Float32Array {
  const [mean, variance] = momentsOf(values);
  return Float32Array.of(mean, 2 * mean, variance, 4 * variance);
}

const scale = fc.constantFrom(1e-4, 1, 300);
const sample = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 });
const shards = fc.array(fc.array(sample, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 8 });

test('pooled statistics are those of all values, whatever the shards and the scale', () => {
  fc.assert(
    fc.property(shards, scale, fc.double({ min: -2, max: 2, noNaN: true }), (drawn, size, shift) => {
      const values = drawn.map((samples) => samples.flat().map((value) => (value + shift) * size));
      const rule = aRule(shift * size * 0.5, size * size);
      const sums = sumVectors(values.map((shard, i) => shardStatistics(rule, measured(shard), drawn[i]?.length ?? 0)));
      const pooled = pooledMoments(rule, sums, drawn.flat().length);
      const [mean, variance] = momentsOf(values.flat());
      const expected = [mean, 2 * mean, variance, 4 * variance];
      // Beside the epsilon nothing smaller shows.
      const variances = [size * size + 1e-3, 4 * size * size + 1e-3];
      const unit = [...variances.map(Math.sqrt), ...variances];
      for (const [i, value] of expected.entries()) {
        assert.ok(Math.abs((pooled[i] as number) - value) <= 1e-6 * (unit[i] as number), `${pooled}; ${expected}`);
      }
    }),
  );
});

test('the sums are the same integers in any order and grouping', () => {
  fc.assert(
    fc.property(shards, fc.nat(), (drawn, turn) => {
      const rule = aRule(0.1, 1);
      const said = drawn.map((samples) => shardStatistics(rule, measured(samples.flat()), samples.length));
      const at = turn % said.length;
      const turned = [sumVectors(said.slice(at).reverse()), sumVectors(said.slice(0, at))];
      assert.deepEqual(sumVectors(turned.filter(({ length }) => length > 0)), sumVectors(said));
    }),
  );
});

test('what is not finite or out of range names its layer', () => {
  const rule = aRule(0, 1);
  const sound = shardStatistics(rule, Float32Array.of(0, 60_000, 1, 1), 8);
  assert.deepEqual(unsoundStatistics(layout, sound), []);
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, 1e6]) {
    const sums = shardStatistics(rule, Float32Array.of(0, bad, 1, 1), 8);
    assert.equal(sums[1] === notANumber || sums[3] === notANumber, true);
    assert.deepEqual(unsoundStatistics(layout, sumVectors([sums, new BigInt64Array(4)])), ['bn']);
  }
});

test('moving statistics move by the momentum, or are replaced', () => {
  const source = new Map([
    ['bn/moving_mean', { shape: [2], data: Float32Array.of(1, 2) }],
    ['bn/moving_variance', { shape: [2], data: Float32Array.of(3, 4) }],
  ]);
  const state: TrainState = new Map();
  holdStatistics(state, [...source.keys()], source);
  const values = () => [...state.values()].flatMap(({ value }) => [...value]);
  const pooled = Float64Array.of(11, 12, 13, 14);
  moveStatistics(state, layout, { pooled, set: false });
  assert.deepEqual(values(), [2, 3, 4, 5]);
  moveStatistics(state, layout, { pooled, set: true });
  assert.deepEqual(values(), [11, 12, 13, 14]);
  assert.deepEqual(
    [...state.values()].map(({ updates, slots }) => [updates, slots.size]),
    [
      [2, 0],
      [2, 0],
    ],
  );
  assert.deepEqual([...(source.get('bn/moving_mean')?.data ?? [])], [1, 2]);
});
