// `builtin:NAME`: a topology that Thaw knows, with weights from a file of the user's, or none. No weights come with Thaw.

import { createHash } from 'node:crypto';
import type { Digest } from '@thaw/common/content/digest.ts';
import { invariant, ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { JobSpec } from '@thaw/common/job/schema/job.ts';
import {
  type Architecture,
  architectureNames,
  architectureOf,
} from '@thaw/common/model/architectures/architectures.ts';
import type { Graph, Weights } from '@thaw/common/model/graph.ts';
import { initialWeights } from '@thaw/common/model/initial-weights.ts';
import { matchLayers } from '@thaw/common/model/match-layers.ts';
import { lastName, type StoredLayer } from '@thaw/common/model/stored-layer.ts';
import { readStoredWeights } from './builtin-weights.ts';
import { classifierCut } from './classifier-cut.ts';
import type { ModelSource, OpenOptions } from './open-model-source.ts';

export type ModelWeights = NonNullable<JobSpec['model']['weights']>;

export interface BuiltinTopology
  extends Required<Pick<ModelSource, 'graph' | 'preprocessing' | 'defaultCut' | 'origin'>> {
  readonly architecture: Architecture;
  readonly size: { readonly height: number; readonly width: number };
}

/** Without weights. Throws JobInvalid (unknown name) or ModelInvalid. */
export function builtinTopology(name: string, inputSize: OpenOptions['inputSize']): BuiltinTopology {
  const architecture = architectureOf(name);
  if (!architecture) {
    const known = architectureNames.map((known) => `builtin:${known}`).join(', ');
    throw new ThawError('JobInvalid', `spec.model.source: found "builtin:${name}"; expected ${known}`);
  }
  const size = inputSize ?? { height: architecture.size, width: architecture.size };
  const graph = architecture.build(size);
  const { preprocessing } = architecture;
  return {
    architecture,
    size,
    graph,
    preprocessing,
    defaultCut: classifierCut(graph),
    origin: `${name} as in keras.applications`,
  };
}

/** Throws JobInvalid (unknown name, no weights), SourceNotFound or ModelInvalid. */
export async function openBuiltinModel(name: string, options: OpenOptions): Promise<ModelSource> {
  const { weights } = options;
  const { architecture, size: inputSize, graph, preprocessing, defaultCut } = builtinTopology(name, options.inputSize);
  const common = { preprocessing, defaultCut };
  if (weights?.source !== undefined) {
    const stored = await aboutWeights(() => readStoredWeights(weights.source as string, options));
    const { layers, torch, what, warnings = [] } = stored;
    const said = warnings.length > 0 ? { warnings } : {};
    if (torch) {
      return {
        ...(await aboutWeights(async () => torchModel(name, { architecture, inputSize, torch, what }))),
        ...said,
      };
    }
    const values = await aboutWeights(async () => matchLayers(graph, withoutClassifier(layers, architecture), what));
    const published = architecture.arePublished?.(values) === true;
    const fitting = published ? architecture.build({ ...inputSize, published }) : graph;
    const origin = `${name} as in keras.applications, with the weights of ${what}`;
    return { ...common, graph: fitting, weights: values, digest: digestOf(fitting, values), origin, ...said };
  }
  if (weights?.none === undefined) {
    throw new ThawError('JobInvalid', `spec.model: found builtin:${name} without weights; expected source or none`);
  }
  invariant(options.seed !== undefined, 'random weights are drawn from a seed');
  const values = initialWeights(graph.layers, options.seed);
  const warning = `builtin:${name} starts from random weights (spec.model.weights: none): nothing in it is pretrained, and a layer that stays frozen stays random`;
  const origin = `${name} as in keras.applications, from random weights (seed ${options.seed}): not pretrained`;
  return { ...common, graph, weights: values, digest: digestOf(graph, values), origin, warnings: [warning] };
}

interface TorchModel {
  readonly architecture: Architecture;
  readonly inputSize: { readonly height: number; readonly width: number };
  readonly torch: Weights;
  readonly what: string;
}

/** Weights of torchvision belong to its own variant of the network, and to its preprocessing. */
function torchModel(name: string, { architecture, inputSize, torch, what }: TorchModel): ModelSource {
  const variant = architecture.torch;
  const layers = variant?.layers(torch, what);
  if (!variant || !layers) {
    const known = architectureNames.filter((one) => architectureOf(one)?.torch).map((one) => `builtin:${one}`);
    throw new ThawError(
      'NotSupported',
      `${what}: found PyTorch's names (${[...torch.keys()].slice(0, 2).join(', ')}, …) for builtin:${name}; expected the ` +
        `weights of torchvision's resnet50 for ${known.join(', ')}, or weights as Keras names them`,
    );
  }
  const graph = variant.build(inputSize);
  const weights = matchLayers(graph, layers, what);
  return {
    graph,
    weights,
    digest: digestOf(graph, weights),
    preprocessing: variant.preprocessing,
    defaultCut: classifierCut(graph),
    origin: `${name} as in torchvision, with the weights of ${what}`,
  };
}

/** What readers of model files find wrong is wrong with the weights here. */
async function aboutWeights<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (thrown) {
    if (!(thrown instanceof ThawError)) throw thrown;
    const message = thrown.message.replace(/^spec\.model\.source: /, '');
    throw new ThawError(thrown.code, `spec.model.weights.source: ${message}`, { cause: thrown, data: thrown.data });
  }
}

/** A file may hold the classifier too, which the new head replaces. */
function withoutClassifier(stored: readonly StoredLayer[], { build, size }: Architecture): StoredLayer[] {
  const names = (graph: Graph): string[] => graph.layers.map(({ path }) => lastName(path));
  const square = { height: size, width: size };
  const kept = new Set(names(build(square)));
  const classifier = new Set(names(build({ ...square, classes: 1 })).filter((name) => !kept.has(name)));
  return stored.filter(({ name, kind }) => (name === null ? kind !== 'dense' : !classifier.has(lastName(name))));
}

function digestOf({ layers }: Graph, weights: Weights): Digest {
  const hash = createHash('sha256');
  hash.update(JSON.stringify(layers.map(({ path, kind, config, inputs }) => [path, kind, config, inputs])));
  for (const { name, shape } of layers.flatMap((layer) => layer.weights)) {
    const { data } = weights.get(name) ?? {};
    invariant(data !== undefined, `${name} has no value`);
    hash.update(JSON.stringify([name, shape])).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return `sha256:${hash.digest('hex')}`;
}
