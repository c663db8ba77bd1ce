// A layer's weights as a Keras file holds them, before they are given to the layers of a graph.

import type { Tensor } from './graph.ts';

export interface StoredLayer {
  /**
   * Names from the outermost model inwards: `conv1`, `backbone/conv1`. Null where the file has none: Keras 3 once stored
   * counters of classes only.
   */
  readonly name: string | null;
  /** Keras class in snake case, as files spell it (`conv2d`, `batch_normalization`); null where the file says nothing. */
  readonly kind: string | null;
  /** Place among the layers of its class in its model; 0 where the file does not count. */
  readonly counter: number;
  /** Where in the file, for errors. */
  readonly place: string;
  /** In the file's order, which is Keras' own. */
  readonly arrays: readonly StoredArray[];
}

export interface StoredArray {
  /** `kernel`, `moving_mean`; Keras 3 knows places only: `0`, `1`. */
  readonly name: string;
  readonly tensor: Tensor;
}

/** As Keras makes names of classes: Conv2D is conv2d, BatchNormalization batch_normalization, ReLU re_lu. */
export function snakeCase(className: string): string {
  return className
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}

/** `conv2d_3` is `conv2d` and 3, `conv2d` is `conv2d` and 0. */
export function splitCounter(name: string): { readonly base: string; readonly counter: number } {
  const [, base = name, counter = '0'] = /^(.*?)_(\d+)$/.exec(name) ?? [];
  return { base, counter: Number(counter) };
}

export function lastName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
