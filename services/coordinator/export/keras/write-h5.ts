// Writes a model as Keras' `.h5`: `model_config` in the root's attributes, and below `model_weights` one group for each
// layer with its arrays listed in `weight_names`. Keras gives them to its layers by place, so both stand in its order.

import { invariant } from '@thaw/common/errors/thaw-error.ts';
import type { Graph, Layer, Tensor, Weights } from '@thaw/common/model/graph.ts';
import { kerasOrder } from '@thaw/common/model/keras-order.ts';
import { lastName } from '@thaw/common/model/stored-layer.ts';
import { kerasName } from '@thaw/common/model/write-layers-model.ts';
import { type GroupWriter, writeHdf5File } from './hdf5-file.ts';
import { legacyTopology } from './topology.ts';

/** Of the form of the config: the last one that wrote it. */
const kerasVersion = '2.15.0';

export interface KerasModelContent {
  readonly graph: Graph;
  readonly weights: Weights;
  /** Labels, preprocessing, digest: kept beside the model, and nothing to Keras. */
  readonly metadata: object;
}

/** `file`: a name that is free to write to. */
export function writeKerasH5(file: string, { graph, weights, metadata }: KerasModelContent): Promise<void> {
  return writeHdf5File(file, (root) => {
    const about = { keras_version: kerasVersion, backend: 'tensorflow' };
    writeTexts(root, { ...about, model_config: JSON.stringify(legacyTopology(graph)) });
    writeTexts(root, { thaw: JSON.stringify(metadata) });
    const group = root.group('model_weights');
    writeTexts(group, about);
    const layers = kerasOrder(graph);
    group.list(
      'layer_names',
      layers.map(({ path }) => kerasName(path)),
    );
    for (const layer of layers) writeLayer(group.group(kerasName(layer.path)), layer, weights);
    group.group('top_level_model_weights').list('weight_names', []);
  });
}

function writeLayer(group: GroupWriter, layer: Layer, weights: Weights): void {
  const name = kerasName(layer.path);
  const arrays = arraysOf(layer, weights);
  const isCounted = layer.kind === 'Normalization' && arrays.length > 0;
  const names = [...arrays.map(([own]) => own), ...(isCounted ? ['count'] : [])];
  group.list(
    'weight_names',
    names.map((own) => `${name}/${own}:0`),
  );
  if (names.length === 0) return;
  const inner = group.group(name);
  for (const [own, tensor] of arrays) inner.array(`${own}:0`, tensor);
  if (isCounted) inner.count('count:0', 0);
}

/** By their own names, in Keras' order. */
export function arraysOf(layer: Layer, weights: Weights): [name: string, tensor: Tensor][] {
  return layer.weights.map(({ name }) => {
    const tensor = weights.get(name);
    invariant(tensor !== undefined, `no value for ${name}`);
    return [lastName(name), tensor];
  });
}

function writeTexts(group: GroupWriter, texts: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(texts)) group.text(name, text);
}
