// Reads graph.json and infers every layer anew from its kind, config and inputs: a file whose shapes or weight names are
// not what its layers give is refused, so that no other network is run silently.

import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { type Graph, graphVersion, type Layer } from '@thaw/common/model/graph.ts';
import { addLayer } from '@thaw/common/model/infer.ts';
import { z } from 'zod';
import { readVersionedFile } from './read-json-file.ts';

const shape = z.array(z.int().positive());
const layerSchema = z.object({
  path: z.string().min(1),
  kind: z.string(),
  config: z.record(z.string(), z.unknown()),
  inputs: z.array(z.string()),
  weights: z.array(
    z.object({
      name: z.string(),
      shape,
      role: z.enum(['kernel', 'bias', 'gamma', 'beta', 'movingMean', 'movingVariance']),
    }),
  ),
  outputShape: shape,
});
const graphSchema = z.object({
  version: z.literal(graphVersion),
  layers: z.array(layerSchema).min(2),
  input: z.string(),
  output: z.string(),
});

/** Throws SourceNotFound, VersionUnknown or ModelInvalid. */
export async function readGraph(file: string): Promise<Graph> {
  const graph = await readVersionedFile(file, { schema: graphSchema, version: graphVersion });
  const inferred = new Map<string, Layer>();
  for (const layer of graph.layers) {
    if (inferred.has(layer.path)) throw invalid(file, `the layer ${layer.path} twice`, 'every path once');
    requireSame(file, layer, inferAs(file, layer, inferred));
  }
  for (const end of [graph.input, graph.output]) {
    if (!inferred.has(end)) throw invalid(file, `no layer ${end}`, 'the layers that input and output name');
  }
  return graph;
}

function inferAs(file: string, { path, kind, config, inputs }: Layer, inferred: Map<string, Layer>): Layer {
  try {
    return addLayer(inferred, { path, kind, config, inputs });
  } catch (thrown) {
    if (!(thrown instanceof ThawError)) throw thrown;
    throw new ThawError('ModelInvalid', `${file}: ${thrown.message}`, { cause: thrown });
  }
}

function requireSame(file: string, found: Layer, expected: Layer): void {
  const describe = ({ outputShape, weights }: Layer): string =>
    [`outputs [${outputShape}]`, ...weights.map(({ name, shape, role }) => `${name} [${shape}] ${role}`)].join(', ');
  if (describe(found) === describe(expected)) return;
  throw invalid(file, `${found.path}: ${describe(found)}`, describe(expected));
}

function invalid(file: string, found: string, expected: string): ThawError {
  return new ThawError('ModelInvalid', `${file}: found ${found}; expected ${expected}`);
}
