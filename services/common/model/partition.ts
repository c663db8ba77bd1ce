// Splits the network for one stage. The suffix is what depends on a trainable tensor or on the head's randomness;
// everything else is prefix, computed once per sample and view. A frozen part of the backbone runs in inference mode, so
// a dropout in it drops nothing (EfficientNet has nine). Layers that only enlarge the boundary are left to the suffix.

import { invariant } from '../errors/thaw-error.ts';
import { requireGradients } from './differentiable.ts';
import type { Graph, Layer, Partition } from './graph.ts';
import { kindOf } from './layer-kinds.ts';

/** `trainable`: weight names, at least one. Throws NotSupported where a layer that they are trained through has no gradient. */
export function partitionFor(graph: Graph, trainable: readonly string[]): Partition {
  const names = new Set(trainable);
  invariant(names.size > 0, 'a stage without trainable tensors');
  requireGradients(graph, trainable);
  const suffix = new Set<string>();
  for (const layer of graph.layers) {
    const trains = layer.weights.some(({ name }) => names.has(name));
    if (trains || drawsRandomness(layer) || layer.inputs.some((input) => suffix.has(input))) suffix.add(layer.path);
  }
  leaveEnlargingLayers(graph, suffix);
  const boundary = boundaryOf(graph, suffix);
  return {
    prefix: graph.layers.filter(({ path }) => !suffix.has(path)).map(({ path }) => path),
    suffix: graph.layers.filter(({ path }) => suffix.has(path)).map(({ path }) => path),
    boundary: boundary.map(({ path }) => path),
    boundaryFloats: boundary.reduce((sum, layer) => sum + floatsOf(layer), 0),
  };
}

function drawsRandomness(layer: Layer): boolean {
  return kindOf(layer).random === true && layer.config.rate !== 0 && !layer.path.startsWith('backbone/');
}

/** Prefix layers that the suffix reads. */
function boundaryOf(graph: Graph, suffix: ReadonlySet<string>): Layer[] {
  const read = new Set(graph.layers.filter(({ path }) => suffix.has(path)).flatMap(({ inputs }) => inputs));
  return graph.layers.filter(({ path }) => read.has(path) && !suffix.has(path));
}

/** Moves a weightless layer at the boundary, such as padding, to the suffix when its input is smaller than its output. */
function leaveEnlargingLayers(graph: Graph, suffix: Set<string>): void {
  const byPath = new Map(graph.layers.map((layer) => [layer.path, layer]));
  for (;;) {
    const moved = boundaryOf(graph, suffix).find((layer) => {
      const [only, ...others] = layer.inputs;
      const input = only === undefined || others.length > 0 ? undefined : byPath.get(only);
      const readInPrefix = graph.layers.some(({ path, inputs }) => !suffix.has(path) && inputs.includes(layer.path));
      return input && layer.weights.length === 0 && !readInPrefix && floatsOf(input) < floatsOf(layer);
    });
    if (!moved) return;
    suffix.add(moved.path);
  }
}

export function floatsOf({ outputShape }: Layer): number {
  return outputShape.reduce((product, size) => product * size, 1);
}
