// A boundary's tensors and its rows: one row holds all of a sample's boundary tensors, flat, side by side, in the
// boundary's order.

import * as tf from '@tensorflow/tfjs-core';
import type { Graph, Partition } from '@thaw/common/model/graph.ts';

/** [batch, boundaryFloats] from the outputs by layer path. Call it inside tf.tidy. */
export function joinBoundary({ boundary }: Partition, outputs: ReadonlyMap<string, tf.Tensor>): tf.Tensor {
  const flat = boundary.map((path) => {
    const tensor = outputs.get(path) as tf.Tensor;
    return tf.reshape(tensor, [tensor.shape[0] as number, -1]);
  });
  return flat.length === 1 ? tf.clone(flat[0] as tf.Tensor) : tf.concat(flat, 1);
}

/** Boundary tensors by layer path, from rows of all of them side by side. */
export function splitBoundary({ layers }: Graph, { boundary }: Partition, rows: tf.Tensor2D): Map<string, tf.Tensor> {
  const shapes = new Map(layers.map(({ path, outputShape }) => [path, outputShape]));
  const batch = rows.shape[0];
  const tensors = new Map<string, tf.Tensor>();
  let column = 0;
  for (const path of boundary) {
    const shape = shapes.get(path) ?? [];
    const floats = shape.reduce((product, size) => product * size, 1);
    const whole = boundary.length === 1 ? rows : tf.slice(rows, [0, column], [batch, floats]);
    tensors.set(path, tf.reshape(whole, [batch, ...shape]));
    column += floats;
  }
  return tensors;
}
