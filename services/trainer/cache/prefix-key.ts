// The key of a level: everything but the sample that decides its rows' bits. Weights go in by value, as the engine holds
// them, so that neither a stage that trained a layer nor a restored state can ever meet rows of other weights.

import { createHash } from 'node:crypto';
import { canonicalJson } from '@thaw/common/content/digest.ts';
import type { Preprocessing } from '@thaw/common/job/resolved-job.ts';
import { numericsVersion } from '@thaw/common/job/result-facts.ts';
import type { Graph, Partition, Tensor, Weights } from '@thaw/common/model/graph.ts';
import type { EngineClass } from '../engine/engine.ts';

export interface PrefixFacts {
  readonly graph: Graph;
  readonly preprocessing: Preprocessing;
  readonly engineClass: EngineClass;
  readonly blockSize: number;
}

/** Hex sha256. `digestOf`: of a weight's current value. */
export function prefixKey(
  { graph, preprocessing, engineClass, blockSize }: PrefixFacts,
  { prefix, boundary }: Partition,
  digestOf: (weight: string) => string,
): string {
  const wanted = new Set(prefix);
  const layers = graph.layers
    .filter(({ path }) => wanted.has(path))
    .map(({ path, kind, config, inputs, weights, outputShape }) => {
      const values = weights.map(({ name, shape }) => [name, shape, digestOf(name)]);
      return { path, kind, config, inputs, outputShape, values };
    });
  return hexDigest({ numericsVersion, layers, boundary, preprocessing, engineClass, blockSize });
}

/** Pixels before they become floats: scale, mean and channel order do not matter yet. */
export function pixelKey({ height, width, resize }: Preprocessing, decoder: string): string {
  return hexDigest({ numericsVersion, pixels: { height, width, resize }, decoder });
}

/** Digests of values by name, computed when first asked for. */
export function weightDigests(values: Weights): (weight: string) => string {
  const known = new Map<string, string>();
  return (weight) => {
    const digest = known.get(weight) ?? tensorDigest(values.get(weight));
    known.set(weight, digest);
    return digest;
  };
}

function tensorDigest(tensor: Tensor | undefined): string {
  if (!tensor) return '';
  const { buffer, byteOffset, byteLength } = tensor.data;
  return createHash('sha256')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest('hex');
}

function hexDigest(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}
