// How batch statistics of single shards become the moving statistics of all. A shard sends Σ(x−m) and Σ(x−m)², m the
// reference mean that everybody holds, as integers: their sum is the same in any order and for any number of trainers.
// One power of two per channel, from the reference variance, keeps small activations exact and large ones in range.

import { invariant } from '@thaw/common/errors/thaw-error.ts';
import type { StatisticsEntry, StatisticsLayout } from '@thaw/common/model/batch-statistics.ts';
import type { Weights } from '@thaw/common/model/graph.ts';
import { notANumber } from '@thaw/proto/frames/announcement.ts';
import { magnitudeExponent } from '../collective/core/scale.ts';
import type { TrainState } from './train-state.ts';

/** What all members hold alike, and what bounds a sum. */
export interface StatisticsRule {
  readonly layout: StatisticsLayout;
  /** Moving statistics by weight name that sums are taken around. */
  readonly reference: Weights;
  /** Samples that one sum can hold at most. */
  readonly samplesMax: number;
  /** Contributions that one sum can hold at most. */
  readonly contributionsMax: number;
}

/** Bits behind the point of a channel's mean, in units of its reference deviation. */
const meanBits = 30;
const sumMax = 2 ** 62;

interface Channel {
  readonly mean: number;
  /** value x 2^meanScale and value x 2^squareScale are the integers. */
  readonly meanScale: number;
  readonly squareScale: number;
}

/** Statistics of `samples` samples, from their mean and biased variance in layout order. */
export function shardStatistics(rule: StatisticsRule, moments: Float32Array, samples: number): BigInt64Array {
  const { layout, contributionsMax } = rule;
  const sums = new BigInt64Array(layout.length);
  for (const entry of layout.entries) {
    const { offset, channels, valuesPerSample } = entry;
    const values = samples * valuesPerSample;
    for (const [c, { mean, meanScale, squareScale }] of channelsOf(rule, entry).entries()) {
      const away = (moments[offset + c] as number) - mean;
      const spread = (moments[offset + channels + c] as number) + away * away;
      sums[offset + c] = toInteger(values * away * 2 ** meanScale, contributionsMax);
      sums[offset + channels + c] = toInteger(values * spread * 2 ** squareScale, contributionsMax);
    }
  }
  return sums;
}

function toInteger(value: number, contributionsMax: number): bigint {
  return Math.abs(value) <= sumMax / contributionsMax ? BigInt(Math.round(value)) : notANumber;
}

/** Paths of layers with a sum that is no number: NaN, or 65,000 reference deviations away. */
export function unsoundStatistics({ entries }: StatisticsLayout, sums: BigInt64Array): string[] {
  return entries
    .filter(({ offset, channels }) => sums.subarray(offset, offset + 2 * channels).includes(notANumber))
    .map(({ path }) => path);
}

/** Mean and biased variance of all samples, in layout order. */
export function pooledMoments(rule: StatisticsRule, sums: BigInt64Array, samples: number): Float64Array {
  const { layout } = rule;
  invariant(samples > 0 && sums.length === layout.length, `${sums.length} statistics of ${samples} samples`);
  const pooled = new Float64Array(layout.length);
  for (const entry of layout.entries) {
    const { offset, channels, valuesPerSample } = entry;
    const values = samples * valuesPerSample;
    for (const [c, { mean, meanScale, squareScale }] of channelsOf(rule, entry).entries()) {
      const away = (Number(sums[offset + c]) * 2 ** -meanScale) / values;
      const spread = (Number(sums[offset + channels + c]) * 2 ** -squareScale) / values;
      pooled[offset + c] = mean + away;
      pooled[offset + channels + c] = Math.max(0, spread - away * away);
    }
  }
  return pooled;
}

/** moving x momentum + pooled x (1 − momentum), as Keras moves them; `set` replaces them. */
export function moveStatistics(
  state: TrainState,
  { entries }: StatisticsLayout,
  { pooled, set }: { readonly pooled: Float64Array; readonly set: boolean },
): void {
  for (const { mean, variance, offset, channels, momentum } of entries) {
    const keep = set ? 0 : momentum;
    for (const [name, start] of [
      [mean, offset],
      [variance, offset + channels],
    ] as const) {
      // biome-ignore format: a table
      const tensor = state.get(name);
      invariant(tensor !== undefined, `${name} moves but is not in the state`);
      tensor.updates += 1;
      for (let c = 0; c < channels; c++) {
        tensor.value[c] = (tensor.value[c] as number) * keep + (pooled[start + c] as number) * (1 - keep);
      }
    }
  }
}

function channelsOf({ reference, samplesMax }: StatisticsRule, entry: StatisticsEntry): Channel[] {
  const means = valuesOf(reference, entry.mean);
  const variances = valuesOf(reference, entry.variance);
  const bits = meanBits - bitsFor(samplesMax * entry.valuesPerSample);
  return Array.from(means, (mean, c) => {
    const deviation = deviationExponent((variances[c] as number) + entry.epsilon);
    return { mean, meanScale: bits - deviation, squareScale: bits - 2 * deviation };
  });
}

/** The least k with variance <= 4^k. */
function deviationExponent(variance: number): number {
  const bits = new Uint32Array(Float32Array.of(variance).buffer)[0] as number;
  return Math.ceil(magnitudeExponent(bits) / 2);
}

function bitsFor(count: number): number {
  let bits = 0;
  while (2 ** bits < count) bits++;
  return bits;
}

function valuesOf(reference: Weights, name: string): Float32Array {
  const tensor = reference.get(name);
  invariant(tensor !== undefined, `${name} has no value to refer to`);
  return tensor.data;
}
