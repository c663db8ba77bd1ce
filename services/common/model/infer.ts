// Adds a layer to a growing graph: looks its kind up, infers its output shape and names its weights.

import { ThawError } from '../errors/thaw-error.ts';
import type { Layer } from './graph.ts';
import { kindOf } from './layer-kinds.ts';

export type NewLayer = Pick<Layer, 'path' | 'kind' | 'config' | 'inputs'>;

/** Throws ModelInvalid or HeadMismatch, naming the layer. `layers` holds every input already. */
export function addLayer(layers: Map<string, Layer>, layer: NewLayer): Layer {
  const shapes = layer.inputs.map((path) => {
    const input = layers.get(path);
    if (!input) throw new ThawError('ModelInvalid', `${layer.path}: its input ${path} does not exist`);
    return input.outputShape;
  });
  const kind = kindOf(layer);
  const added: Layer = {
    ...layer,
    outputShape: kind.outputShape(layer, shapes),
    weights: kind
      .weights(layer, shapes)
      .map(({ name, shape, role }) => ({ name: `${layer.path}/${name}`, shape, role })),
  };
  layers.set(layer.path, added);
  return added;
}
