// Head surgery: keeps the backbone up to the cut, puts the job's head on it, and draws the head's first weights.

import { invariant, ThawError } from '../errors/thaw-error.ts';
import type { HeadLayer } from '../job/resolved-job.ts';
import { nearest } from '../text/nearest.ts';
import type { Graph, Layer, Weights } from './graph.ts';
import { addLayer } from './infer.ts';
import { initialWeights } from './initial-weights.ts';
import { kerasName } from './write-layers-model.ts';

const headKinds: Readonly<Record<HeadLayer['kind'], { readonly name: string; readonly kind: string }>> = {
  globalAveragePooling: { name: 'global_average_pooling', kind: 'GlobalAveragePooling2D' },
  globalMaxPooling: { name: 'global_max_pooling', kind: 'GlobalMaxPooling2D' },
  flatten: { name: 'flatten', kind: 'Flatten' },
  dense: { name: 'dense', kind: 'Dense' },
  dropout: { name: 'dropout', kind: 'Dropout' },
  batchNormalization: { name: 'batch_normalization', kind: 'BatchNormalization' },
  activation: { name: 'activation', kind: 'Activation' },
};

export interface HeadOptions {
  /** Name of the backbone layer that the head is put on. */
  readonly cut: string;
  /** Ends with the output layer, which is called `head/output`. */
  readonly head: readonly HeadLayer[];
  readonly inputSize: { readonly height: number; readonly width: number };
}

/** Throws HeadMismatch, JobInvalid (unknown cut) or ModelInvalid (layers before the cut depend on the input size). */
export function replaceHead(graph: Graph, { cut, head, inputSize }: HeadOptions): Graph {
  const cutPath = findCut(graph, cut);
  const layers = new Map<string, Layer>();
  for (const layer of ancestorsOf(graph, cutPath)) addResized(layers, layer, inputSize);
  const names = headNames(head.slice(0, -1).map(({ kind }) => kind));
  let last = cutPath;
  for (const [index, layer] of head.entries()) {
    const { kind } = headKinds[layer.kind];
    const name = names[index] ?? 'output';
    last = addLayer(layers, { path: `head/${name}`, kind, config: configOf(layer), inputs: [last] }).path;
  }
  requireUniqueNames([...layers.keys()]);
  return { ...graph, layers: [...layers.values()], output: last };
}

/** Path of the layer that the head was put on. */
export function headInput({ layers }: Graph): string {
  const first = layers.find(({ path }) => path.startsWith('head/'));
  invariant(first?.inputs[0] !== undefined, 'a network with a head');
  return first.inputs[0];
}

/** `dense`, `dense_1` and so on: the last parts of the paths of the layers before the output layer. */
export function headNames(kinds: readonly HeadLayer['kind'][]): string[] {
  const used = new Map<string, number>();
  return kinds.map((kind) => {
    const { name } = headKinds[kind];
    const count = used.get(name) ?? 0;
    used.set(name, count + 1);
    return count === 0 ? name : `${name}_${count}`;
  });
}

/** The result's layers are called by their paths with '_' for '/'; two of one name could not be told apart. */
function requireUniqueNames(paths: readonly string[]): void {
  const byName = new Map<string, string>();
  for (const path of paths) {
    const other = byName.get(kerasName(path));
    if (other !== undefined) {
      throw new ThawError(
        'ModelInvalid',
        `found the layers ${other} and ${path}, which would both be called "${kerasName(path)}" in the result; rename one`,
      );
    }
    byName.set(kerasName(path), path);
  }
}

function findCut(graph: Graph, cut: string): string {
  const found = graph.layers.find(({ path }) => path === cut || path === `backbone/${cut}`);
  if (found) return found.path;
  const names = graph.layers.map(({ path }) => path.replace(/^backbone\//, ''));
  const near = nearest(cut, names, 3);
  const offered = near.length > 0 ? near : names.slice(-3);
  throw new ThawError(
    'JobInvalid',
    `spec.model.cut: there is no layer "${cut}"; there are for example ${offered.join(', ')}`,
  );
}

/** The layer again, with shapes for the wanted input; its weights must stay as they are. */
function addResized(layers: Map<string, Layer>, layer: Layer, size: HeadOptions['inputSize']): void {
  const { path, kind, inputs } = layer;
  const isInput = kind === 'InputLayer';
  const shape = [null, size.height, size.width, layer.outputShape.at(-1)];
  const config = isInput ? { ...layer.config, batch_input_shape: shape } : layer.config;
  const added = addLayer(layers, { path, kind, config, inputs });
  const changed = added.weights.find(({ shape }, i) => shape.join() !== layer.weights[i]?.shape.join());
  if (!changed) return;
  throw new ThawError(
    'ModelInvalid',
    `${changed.name} has a shape that depends on the input's size, so model.input.size cannot be ${size.height} x ${size.width}; ` +
      'choose an earlier cut, or the size that the model was made for',
  );
}

function ancestorsOf(graph: Graph, path: string): Layer[] {
  const wanted = new Set([path]);
  for (const layer of [...graph.layers].reverse()) {
    if (wanted.has(layer.path)) for (const input of layer.inputs) wanted.add(input);
  }
  return graph.layers.filter((layer) => wanted.has(layer.path));
}

function configOf(layer: HeadLayer): Record<string, unknown> {
  switch (layer.kind) {
    case 'dense':
      return { units: layer.units, activation: layer.activation, use_bias: layer.useBias };
    case 'dropout':
      return { rate: layer.rate };
    case 'batchNormalization':
      return { axis: -1, momentum: layer.momentum, epsilon: layer.epsilon, center: true, scale: true };
    case 'activation':
      return { activation: layer.activation };
    case 'globalAveragePooling':
    case 'globalMaxPooling':
    case 'flatten':
      return {};
  }
}

/** First values of the head. */
export function initialHeadWeights(graph: Graph, seed: number): Weights {
  return initialWeights(
    graph.layers.filter(({ path }) => path.startsWith('head/')),
    seed,
  );
}
