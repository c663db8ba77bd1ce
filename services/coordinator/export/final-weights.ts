// The job's result: the source's values with the trained state put over them, by name.

import { createHash } from 'node:crypto';
import type { Digest } from '@thaw/common/content/digest.ts';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { Graph, Tensor, Weights } from '@thaw/common/model/graph.ts';
import { compareNames } from '@thaw/common/model/tensor-layout.ts';
import { readSafetensors } from '@thaw/common/tensors/safetensors.ts';
import { averagePrefix, slotPrefix } from '@thaw/common/tensors/state-names.ts';

/** `state`: safetensors. Throws ModelInvalid when it does not fit the graph. */
export function finalWeights(graph: Graph, source: Weights, state: Uint8Array, what: string): Weights {
  const specs = graph.layers.flatMap(({ weights }) => weights);
  const final = new Map<string, Tensor>();
  for (const { name } of specs) {
    const tensor = source.get(name);
    if (!tensor) throw new ThawError('ModelInvalid', `${name} has no value in the source weights`);
    final.set(name, tensor);
  }
  const stored = [...readSafetensors(state, what).tensors].filter(([name]) => !name.startsWith(slotPrefix));
  const isAverage = ([name]: readonly [string, unknown]): boolean => name.startsWith(averagePrefix);
  // Averages last: they take the place of what they average.
  for (const [key, { shape, data }] of [...stored.filter((one) => !isAverage(one)), ...stored.filter(isAverage)]) {
    const name = key.startsWith(averagePrefix) ? key.slice(averagePrefix.length) : key;
    const expected = final.get(name)?.shape.join('x');
    if (!(data instanceof Float32Array) || expected !== shape.join('x')) {
      throw new ThawError(
        'ModelInvalid',
        `${what}: found ${key} [${shape.join('x')}]; expected ${expected ?? 'no such tensor'}`,
      );
    }
    final.set(name, { shape, data });
  }
  return final;
}

/** sha256 over the tensors in byte order of their names: name, shape, then float32 little-endian values. */
export function weightsDigest(weights: Weights): Digest {
  const hash = createHash('sha256');
  for (const name of [...weights.keys()].sort(compareNames)) {
    const { shape, data } = weights.get(name) as Tensor;
    hash.update(JSON.stringify([name, shape]));
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return `sha256:${hash.digest('hex')}`;
}
