// What a gradient can pass through. A layer may be run frozen and still have no gradient in the engine; a stage that
// would train through it is refused before it starts.

import { ThawError } from '../errors/thaw-error.ts';
import type { Graph, Layer } from './graph.ts';
import { pairOf } from './layer-config.ts';

/** `trainable`: weight names. Throws NotSupported naming the first layer that holds or follows one and has no gradient. */
export function requireGradients(graph: Graph, trainable: readonly string[]): void {
  const names = new Set(trainable);
  const reached = new Set<string>();
  for (const layer of graph.layers) {
    const trains = layer.weights.some(({ name }) => names.has(name));
    if (!trains && !layer.inputs.some((input) => reached.has(input))) continue;
    reached.add(layer.path);
    if (hasGradient(layer)) continue;
    const what = trains ? 'its weights' : 'layers before it';
    throw new ThawError(
      'NotSupported',
      `${layer.path} (${layer.kind}): found dilation_rate ${JSON.stringify(layer.config.dilation_rate)}, which has no ` +
        `gradient; expected 1 where ${what} are trained. Train only layers after it`,
      { data: { layer: layer.path } },
    );
  }
}

function hasGradient(layer: Layer): boolean {
  return pairOf(layer, 'dilation_rate', [1, 1]).every((rate) => rate === 1);
}
