// Weights in Keras' older layout: the attribute `layer_names` lists the layers, each is a group whose attribute
// `weight_names` lists its arrays. A nested model is one group with all the weights of its layers, trainable ones first.
// keras.applications publishes its weights like this; `model.save('x.h5')` writes it below `model_weights`.

import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { StoredArray, StoredLayer } from '@thaw/common/model/stored-layer.ts';
import type { Group } from './keras-hdf5.ts';

/** Holds weights of the model itself, outside of its layers. */
const ownWeights = 'top_level_model_weights';

/** In the file's order, layers without weights left out. Null where the group is not laid out like this. */
export function legacyLayers(root: Group, what: string): StoredLayer[] | null {
  const layers = root.has('model_weights') ? root.group('model_weights') : root;
  const names = layers && listOf(layers, 'layer_names');
  if (!layers || !names) return null;
  const listed = layers.has(ownWeights) && !names.includes(ownWeights) ? [...names, ownWeights] : names;
  return listed.flatMap((name) => {
    const group = layers.group(name);
    if (group) return layersOf(name, group);
    throw new ThawError('ModelInvalid', `${what}: layer_names lists "${name}", but there is no such group`);
  });
}

function listOf(group: Group, key: string): readonly string[] | null {
  const names = group.attribute(key);
  return typeof names === 'string' ? [names] : names;
}

function layersOf(outer: string, group: Group): StoredLayer[] {
  const byLayer = new Map<string, StoredArray[]>();
  for (const stored of listOf(group, 'weight_names') ?? []) {
    const { layer, name } = partsOf(outer, stored);
    byLayer.set(layer, [...(byLayer.get(layer) ?? []), { name, tensor: group.array(stored) }]);
  }
  return [...byLayer].map(([layer, arrays]) => ({
    name: layer,
    kind: null,
    counter: 0,
    place: `${group.place} (${layer})`,
    arrays,
  }));
}

/**
 * `conv1/kernel:0` in the group `conv1` is its kernel, in the group `backbone` that of `backbone/conv1`. Names without a
 * layer, as Keras 1 wrote them (`block1_conv1_W_1:0`), are the group's own.
 */
function partsOf(outer: string, stored: string): { readonly layer: string; readonly name: string } {
  const parts = stored.replace(/:\d+$/, '').split('/');
  const name = parts.pop() as string;
  const outerParts = outer.split('/');
  const startsWithOuter = outerParts.every((part, i) => parts[i] === part);
  const inner = startsWithOuter ? parts.slice(outerParts.length) : parts;
  return { layer: [outer, ...inner].join('/'), name };
}
