// Reads the file of `spec.model.weights`: weights by the names of their layers, without a topology that matters.

import path from 'node:path';
import type { S3Environment } from '@thaw/common/environment/s3-environment.ts';
import { invariant } from '@thaw/common/errors/thaw-error.ts';
import { areTorchNames, isTorchCounter } from '@thaw/common/model/architectures/torch-layers.ts';
import { requireFinite } from '@thaw/common/model/finite-weights.ts';
import type { Weights } from '@thaw/common/model/graph.ts';
import { lastName, type StoredLayer } from '@thaw/common/model/stored-layer.ts';
import { decodeWeights } from '@thaw/common/model/weights-manifest.ts';
import { readFloatTensors } from '@thaw/common/tensors/safetensors.ts';
import type { MayFetch } from '../fetching.ts';
import { fetchSource } from '../remote/fetch-source.ts';
import { isRemote } from '../remote/remote-address.ts';
import { exampleWeights } from './example-weights.ts';
import { isKerasFile, readKerasWeights } from './keras-file.ts';
import { readLayersModelFile } from './layers-model-file.ts';
import { readModelFile } from './model-file.ts';

export interface StoredWeights {
  readonly layers: readonly StoredLayer[];
  /** Instead of layers: tensors that PyTorch named, which only the network can give to layers. */
  readonly torch?: Weights;
  /** As of a model source. */
  readonly warnings?: readonly string[];
  /** Names the file in errors. */
  readonly what: string;
}

export interface WeightsPlaces extends MayFetch {
  /** Relative `file:` paths start here. */
  readonly baseDirectory: string;
  /** Examples, and what is fetched, are written here. */
  readonly cacheDirectory?: string | undefined;
  readonly s3?: S3Environment | undefined;
}

/** `source`: file:PATH, an address on the web or of S3, or example:NAME. Throws SourceNotFound or ModelInvalid. */
export async function readStoredWeights(source: string, places: WeightsPlaces): Promise<StoredWeights> {
  const { baseDirectory, cacheDirectory, s3, fetching } = places;
  const [, example] = /^example:(.*)$/.exec(source) ?? [];
  if (example !== undefined) {
    invariant(cacheDirectory !== undefined, 'examples are written to a cache folder');
    const file = await exampleWeights(example, cacheDirectory, fetching);
    return { ...(await readStoredWeights(`file:${file}`, places)), what: source };
  }
  if (isRemote(source)) {
    invariant(cacheDirectory !== undefined, 'what is fetched lies in a cache folder');
    const { file, shown, warning } = await fetchSource(source, { cacheDirectory, s3, fetching });
    return { ...(await readStoredWeights(`file:${file}`, places)), what: shown, warnings: warning ? [warning] : [] };
  }
  const location = source.replace(/^file:/, '');
  const file = path.resolve(baseDirectory, location);
  if (isKerasFile(source)) return readKerasWeights(file, location);
  if (file.endsWith('.safetensors')) {
    const bytes = await readModelFile(file, source);
    const tensors = readFloatTensors(bytes, location, isTorchCounter);
    for (const [name, { data }] of tensors) requireFinite(data, `${location}: ${name}`);
    if (areTorchNames([...tensors.keys()])) return { layers: [], torch: tensors, what: location };
    return { layers: byLayer(tensors, location), what: location };
  }
  const { weightSpecs, weightBytes, weightsName } = await readLayersModelFile(location, baseDirectory);
  return { layers: byLayer(decodeWeights(weightSpecs, weightBytes, weightsName), location), what: location };
}

/** Tensors are called by their layer and then their own name; what Thaw wrote says `backbone/` first, and has a head. */
function byLayer(tensors: Weights, file: string): StoredLayer[] {
  const layers = new Map<string, StoredLayer['arrays'][number][]>();
  for (const [name, tensor] of tensors) {
    if (name.startsWith('head/')) continue;
    const layer = name.slice(0, Math.max(0, name.lastIndexOf('/'))).replace(/^backbone\//, '');
    layers.set(layer, [...(layers.get(layer) ?? []), { name: lastName(name), tensor }]);
  }
  return [...layers].map(([name, arrays]) => ({ name, kind: null, counter: 0, place: `${file}: ${name}`, arrays }));
}
