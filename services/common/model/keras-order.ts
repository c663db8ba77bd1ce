// The order in which Keras lists the layers of a functional model: by depth from the output, then by when a walk back from
// the output first meets a layer. Files whose layers have counters and no names count in this order.
// Source: keras/src/ops/function.py, map_graph().

import type { Graph, Layer } from './graph.ts';

export function kerasOrder(graph: Graph): Layer[] {
  const byPath = new Map(graph.layers.map((layer) => [layer.path, layer]));
  const met = meetings(graph, byPath);
  const depth = new Map<string, number>();
  for (const { path, inputs } of graph.layers.toReversed()) {
    if (!met.has(path)) continue;
    const own = depth.get(path) ?? 0;
    depth.set(path, own);
    for (const input of inputs) depth.set(input, Math.max(depth.get(input) ?? 0, own + 1));
  }
  const rank = (layer: Layer): number => depth.get(layer.path) as number;
  return graph.layers
    .filter(({ path }) => met.has(path))
    .sort((a, b) => rank(b) - rank(a) || (met.get(a.path) as number) - (met.get(b.path) as number));
}

/** Layers that lead to the output, with their place in a depth-first walk back from it. */
function meetings(graph: Graph, byPath: ReadonlyMap<string, Layer>): Map<string, number> {
  const met = new Map<string, number>();
  const waiting = [graph.output];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (met.has(path)) continue;
    met.set(path, met.size);
    waiting.push(...(byPath.get(path)?.inputs ?? []).toReversed());
  }
  return met;
}
