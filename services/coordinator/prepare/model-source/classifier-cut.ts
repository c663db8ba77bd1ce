// Where the old classifier starts: walking back from the output over everything that only reduces or classifies.

import type { Graph } from '@thaw/common/model/graph.ts';

const classifierKinds = new Set([
  'GlobalAveragePooling2D',
  'GlobalMaxPooling2D',
  'AveragePooling2D',
  'Flatten',
  'Reshape',
  'Dropout',
]);

/** Name of the last layer before the classifier; the output layer itself in a network without one. */
export function classifierCut(graph: Graph): string {
  const byPath = new Map(graph.layers.map((layer) => [layer.path, layer]));
  let layer = byPath.get(graph.output);
  while (layer && (layer.outputShape.length === 1 || classifierKinds.has(layer.kind))) {
    const [input, ...others] = layer.inputs;
    if (input === undefined || others.length > 0) break;
    layer = byPath.get(input);
  }
  return (layer?.path ?? graph.output).replace(/^backbone\//, '');
}
