// How many numbers a network learns or keeps: what papers and model summaries call parameters.

import type { Layer } from './graph.ts';

/** Moving statistics included. */
export function parametersOf(layers: readonly Layer[]): number {
  return layers.flatMap(({ weights }) => weights).reduce((sum, { shape }) => sum + elementsOf(shape), 0);
}

export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
