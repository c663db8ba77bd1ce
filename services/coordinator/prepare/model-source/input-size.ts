// The size of picture that a model was made for.

import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { Graph } from '@thaw/common/model/graph.ts';

/** Height and width of the model's input, which has to be a picture in three channels. */
export function modelInputSize(graph: Graph): { readonly height: number; readonly width: number } {
  const shape = graph.layers.find(({ path }) => path === graph.input)?.outputShape ?? [];
  const [height, width, channels] = shape;
  if (shape.length === 3 && height !== undefined && width !== undefined && channels === 3) return { height, width };
  throw new ThawError(
    'ModelInvalid',
    `spec.model.source: the model takes an input of shape [${shape}]; expected [height, width, 3]`,
  );
}
