// Reads the weights of a result, whichever format it was exported in, under the graph's names: safetensors has them as
// they are, the tfjs layers-model and the Keras files have Keras names, which lead back through the graph.

import { stat } from 'node:fs/promises';
import path from 'node:path';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { Graph, Tensor, Weights } from '@thaw/common/model/graph.ts';
import { decodeWeights } from '@thaw/common/model/weights-manifest.ts';
import { kerasName, weightsFileName } from '@thaw/common/model/write-layers-model.ts';
import { readFloatTensors } from '@thaw/common/tensors/safetensors.ts';
import type { ResultFiles } from '@thaw/coordinator/export/result-files.ts';
import { readKerasWeights } from '@thaw/coordinator/prepare/model-source/keras-file.ts';
import { z } from 'zod';
import { readJsonFile, readResultFile } from './read-json-file.ts';

const problemsShownMax = 3;

const modelJsonSchema = z.object({
  weightsManifest: z
    .array(
      z.object({
        paths: z.array(z.literal(weightsFileName)).length(1),
        weights: z.array(
          z.object({ name: z.string(), shape: z.array(z.int().nonnegative()), dtype: z.literal('float32') }),
        ),
      }),
    )
    .length(1),
});

export interface ReadWeights {
  readonly weights: Weights;
  /** The file that they are from. */
  readonly file: string;
}

/** Throws SourceNotFound or ModelInvalid. */
export async function readWeights(files: ResultFiles, graph: Graph): Promise<ReadWeights> {
  if (await isThere(files.safetensors)) {
    const tensors = readFloatTensors(await readResultFile(files.safetensors), files.safetensors);
    return { weights: inGraphOrder(graph, tensors, (name) => name, files.safetensors), file: files.safetensors };
  }
  if (await isThere(files.modelJson)) return readLayersModelWeights(files, graph);
  for (const file of [files.kerasArchive, files.kerasH5]) {
    if (await isThere(file)) return readKerasFile(file, graph);
  }
  const formats = [files.safetensors, files.modelJson, files.kerasArchive, files.kerasH5];
  throw new ThawError(
    'SourceNotFound',
    `${files.modelFolder}: found none of ${formats.map((file) => path.basename(file)).join(', ')}; ` +
      'expected the weights in one of them',
  );
}

async function readLayersModelWeights(files: ResultFiles, graph: Graph): Promise<ReadWeights> {
  const file = path.join(files.modelFolder, weightsFileName);
  const { weightsManifest } = await readJsonFile(files.modelJson, modelJsonSchema);
  const specs = weightsManifest.flatMap(({ weights }) => weights);
  const stored = decodeWeights(specs, await readResultFile(file), file);
  const layerOf = new Map(graph.layers.flatMap((layer) => layer.weights.map(({ name }) => [name, layer.path])));
  const keyOf = (name: string): string => {
    const layer = layerOf.get(name) ?? '';
    return `${kerasName(layer)}${name.slice(layer.length)}`;
  };
  return { weights: inGraphOrder(graph, stored, keyOf, file), file };
}

/** Keras lists a layer's arrays in the graph's order. A Normalization counts its samples beside them. */
async function readKerasFile(file: string, graph: Graph): Promise<ReadWeights> {
  const { layers } = await readKerasWeights(file);
  const specsOf = new Map(graph.layers.map((layer) => [kerasName(layer.path), layer]));
  const stored = new Map<string, Tensor>();
  for (const { name, place, arrays } of layers) {
    const { kind = '', weights = [] } = specsOf.get(name ?? '') ?? {};
    for (const [index, array] of arrays.entries()) {
      if (kind === 'Normalization' && index === weights.length) continue;
      stored.set(weights[index]?.name ?? `${name ?? place}/${array.name}`, array.tensor);
    }
  }
  return { weights: inGraphOrder(graph, stored, (name) => name, file), file };
}

/** Exactly the graph's tensors, by the graph's names. */
function inGraphOrder(graph: Graph, stored: Weights, keyOf: (name: string) => string, file: string): Weights {
  const weights = new Map<string, Tensor>();
  const problems: string[] = [];
  const used = new Set<string>();
  for (const { name, shape } of graph.layers.flatMap((layer) => layer.weights)) {
    const key = keyOf(name);
    const tensor = stored.get(key);
    used.add(key);
    if (tensor?.shape.join() === shape.join()) weights.set(name, tensor);
    else problems.push(`${key}: found ${tensor ? `shape [${tensor.shape}]` : 'nothing'}; expected shape [${shape}]`);
  }
  for (const key of stored.keys()) if (!used.has(key)) problems.push(`${key}: found; expected no such tensor`);
  if (problems.length === 0) return weights;
  const more = problems.length > problemsShownMax ? `; and ${problems.length - problemsShownMax} more` : '';
  throw new ThawError('ModelInvalid', `${file}: ${problems.slice(0, problemsShownMax).join('; ')}${more}`);
}

async function isThere(file: string): Promise<boolean> {
  return (await stat(file).catch(() => null)) !== null;
}
