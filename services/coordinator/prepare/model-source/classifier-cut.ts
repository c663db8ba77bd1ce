// Where the old classifier starts: walking back from the output over everything that only reduces or classifies.

import type { Graph, Layer } from '@thaw/common/model/graph.ts';

const globalPoolings = new Set(['GlobalAveragePooling2D', 'GlobalMaxPooling2D']);
const classifierKinds = new Set([...globalPoolings, 'AveragePooling2D', 'Flatten', 'Reshape', 'Dropout']);

/** Name of the last layer before the classifier; the output layer itself in a network without one. */
export function classifierCut(graph: Graph): string {
  const byPath = new Map(graph.layers.map((layer) => [layer.path, layer]));
  const before = ({ inputs }: Layer): Layer | undefined =>
    inputs.length === 1 ? byPath.get(inputs[0] as string) : undefined;
  let layer = byPath.get(graph.output) as Layer;
  while (layer.outputShape.length === 1 || classifierKinds.has(layer.kind) || isPooled(layer, before)) {
    const input = before(layer);
    if (!input) break;
    layer = input;
  }
  return layer.path.replace(/^backbone\//, '');
}

/** MobileNet and MobileNetV3 classify by convolutions of 1 x 1 pictures, after the global pooling. */
function isPooled(layer: Layer, before: (layer: Layer) => Layer | undefined): boolean {
  for (let at: Layer | undefined = layer; at; at = before(at)) {
    if (globalPoolings.has(at.kind)) return true;
    if (at.outputShape.slice(0, -1).some((size) => size !== 1)) return false;
  }
  return false;
}
