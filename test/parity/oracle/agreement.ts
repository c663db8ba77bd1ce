// Whether gradients agree with the oracle's, tensor by tensor. Where they do not and there are units in doubt, the
// oracle puts those on their other side, one by one, as long as that brings it nearer: the bound stays what it is.

import { relativeDistance } from '../../support/tensor-distance.ts';
import { type DoubtfulUnit, doubtfulUnits, mirrored } from './kinks.ts';
import type { OracleBatch, OracleNetwork } from './network.ts';
import { type Gradients, type OracleWeights, oracleGradients } from './training.ts';

/** Of a layer's largest input: some 16 units in the last place of float32. */
const rounding = 1e-6;
const doubtfulMax = 64;

export interface Agreement {
  /** Largest distance of a tensor, as a part of its norm. */
  readonly distance: number;
  readonly tensor: string;
  readonly loss: number;
  readonly gradients: Gradients;
  readonly mirrored: readonly DoubtfulUnit[];
}

export function agreement(
  network: OracleNetwork,
  shards: readonly OracleBatch[],
  options: OracleWeights & { readonly found: Gradients; readonly tolerance: number },
): Agreement {
  const compare = (units: readonly DoubtfulUnit[]): Agreement => {
    const { gradients, loss } = oracleGradients(network, shards, { ...options, rectifierInput: mirrored(units) });
    return { ...farthest(options.found, gradients), loss, gradients, mirrored: units };
  };
  let best = compare([]);
  if (best.distance <= options.tolerance) return best;
  const layers = trainedThrough(network, options.trainable);
  const units = doubtfulUnits(network, shards, { ...options, layers, rounding });
  for (const unit of units.slice(0, doubtfulMax)) {
    const tried = compare([...best.mirrored, unit]);
    if (tried.distance < best.distance) best = tried;
    if (best.distance <= options.tolerance) return best;
  }
  return best;
}

export function farthest(
  found: Gradients,
  expected: Gradients,
): { readonly distance: number; readonly tensor: string } {
  let worst = { distance: 0, tensor: '' };
  for (const [tensor, values] of expected) {
    const distance = relativeDistance(found.get(tensor) ?? [], values);
    if (distance >= worst.distance) worst = { distance, tensor };
  }
  return worst;
}

/** Layers that hold a trainable tensor or come after one. */
function trainedThrough({ graph }: OracleNetwork, trainable: readonly string[]): ReadonlySet<string> {
  const names = new Set(trainable);
  const reached = new Set<string>();
  for (const { path, inputs, weights } of graph.layers) {
    if (weights.some(({ name }) => names.has(name)) || inputs.some((input) => reached.has(input))) reached.add(path);
  }
  return reached;
}
