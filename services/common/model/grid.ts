// Where height and width lie in a row of numbers: of a picture, and of the tensors at a boundary side by side. What cuts
// boxes out of rows needs to know.

import type { Graph, Layer } from './graph.ts';

/** A tensor [height, width, channels] in a row. */
export interface Grid {
  readonly offset: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

export function pictureGrid(graph: Graph): Grid {
  const [height = 0, width = 0, channels = 0] = shapeOf(graph, graph.input);
  return { offset: 0, height, width, channels };
}

/** Empty when some tensor of the boundary has no height and width, or another one than the others. */
export function boundaryGrids(graph: Graph, boundary: readonly string[]): readonly Grid[] {
  const grids: Grid[] = [];
  let offset = 0;
  for (const path of boundary) {
    const shape = shapeOf(graph, path);
    const [height = 0, width = 0, channels = 0] = shape;
    const [first] = grids;
    if (shape.length !== 3 || (first && (first.height !== height || first.width !== width))) return [];
    grids.push({ offset, height, width, channels });
    offset += height * width * channels;
  }
  return grids;
}

function shapeOf({ layers }: Graph, wanted: string): Layer['outputShape'] {
  return layers.find(({ path }) => path === wanted)?.outputShape ?? [];
}
