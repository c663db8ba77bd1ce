// A rectifier has no derivative at its kinks. A unit whose input lies within float32's rounding of one may be found on
// either side of it by two right computations, and its gradient then differs by far more than rounding. These are the
// units in doubt, and the oracle's gradients with some of them put on the other side.

import * as tf from '@tensorflow/tfjs-core';
import type { OracleBatch, OracleNetwork, RectifierInput } from './network.ts';
import { type OracleWeights, oracleGradients } from './training.ts';

export interface DoubtfulUnit {
  readonly shard: number;
  readonly layer: string;
  /** In the layer's output over the shard's batch. */
  readonly index: number;
  /** Input minus kink. */
  readonly distance: number;
}

const kinks = [0, 6];

/** Units of `layers` whose input is within `rounding` times the layer's largest input of a kink, nearest first. */
export function doubtfulUnits(
  network: OracleNetwork,
  shards: readonly OracleBatch[],
  options: OracleWeights & { readonly layers: ReadonlySet<string>; readonly rounding: number },
): DoubtfulUnit[] {
  const units: DoubtfulUnit[] = [];
  const look =
    (shard: number): RectifierInput =>
    (layer, x) => {
      if (!options.layers.has(layer)) return x;
      const inputs = x.dataSync() as Float32Array;
      const near = options.rounding * inputs.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
      for (const [index, value] of inputs.entries()) {
        for (const kink of kinks) {
          const distance = value - kink;
          if (Math.abs(distance) <= near) units.push({ shard, layer, index, distance });
        }
      }
      return x;
    };
  oracleGradients(network, shards, { ...options, rectifierInput: look });
  return units.sort((a, b) => Math.abs(a.distance) - Math.abs(b.distance));
}

/** Mirrors the units' inputs in their kinks, which moves the outputs by rounding and the derivatives to the other side. */
export function mirrored(units: readonly DoubtfulUnit[]): (shard: number) => RectifierInput {
  return (shard) => (layer, x) => {
    const own = units.filter((unit) => unit.shard === shard && unit.layer === layer);
    if (own.length === 0) return x;
    const shift = new Float32Array(x.size);
    // A unit that lies exactly on its kink is moved up: rectifiers count it as below.
    for (const { index, distance } of own) shift[index] = distance === 0 ? 1e-6 : -2 * distance;
    return tf.add(x, tf.tensor(shift, x.shape));
  };
}
