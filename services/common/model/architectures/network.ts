// Grows a graph as the source of keras.applications grows a model: one call a layer, in the same order, with the names
// that a fresh Keras session would give to the layers that have none.

import { invariant } from '../../errors/thaw-error.ts';
import { type Graph, graphVersion, type Layer } from '../graph.ts';
import { addLayer } from '../infer.ts';
import { snakeCase } from '../stored-layer.ts';

export interface BuildOptions {
  readonly height: number;
  readonly width: number;
  /** Outputs of the classifier. Without one the network ends with its last feature map (`include_top=False`). */
  readonly classes?: number | undefined;
}

/** Keras config, keys in snake_case; the name is left out where Keras counts: `conv2d`, `conv2d_1`, … */
export type LayerSettings = Readonly<Record<string, unknown>> & { readonly name?: string };

export interface Network {
  /** Path of the input layer. */
  readonly input: string;
  /** Adds a layer and returns its path. */
  add(kind: string, inputs: string | readonly string[], settings?: LayerSettings): string;
  /** Of one sample: [height, width, channels] or [features]. */
  shapeOf(path: string): readonly number[];
  /** The network as it is now, ending in `output`. */
  graph(output: string): Graph;
}

export function network({ height, width }: BuildOptions): Network {
  const layers = new Map<string, Layer>();
  const counts = new Map<string, number>();
  const add: Network['add'] = (kind, inputs, { name, ...config } = {}) => {
    const path = `backbone/${name ?? countedName(counts, kind)}`;
    invariant(!layers.has(path), `two layers are called ${path}`);
    return addLayer(layers, { path, kind, config, inputs: [inputs].flat() }).path;
  };
  const input = add('InputLayer', [], { batch_input_shape: [null, height, width, 3] });
  return {
    input,
    add,
    shapeOf: (path) => layers.get(path)?.outputShape ?? [],
    graph: (output) => ({ version: graphVersion, layers: [...layers.values()], input, output }),
  };
}

/** As keras.src.utils.naming.auto_name. */
function countedName(counts: Map<string, number>, kind: string): string {
  const base = snakeCase(kind);
  const count = counts.get(base) ?? 0;
  counts.set(base, count + 1);
  return count === 0 ? base : `${base}_${count}`;
}

/** Zeros around an image before a `valid` convolution of stride 2: as imagenet_utils.correct_pad. */
export function correctPad([height = 0, width = 0]: readonly number[], kernelSize: number): number[][] {
  const half = Math.floor(kernelSize / 2);
  return [height, width].map((size) => [half - (1 - (size % 2)), half]);
}
