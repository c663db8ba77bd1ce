// Runs one layer case on the backend that is set: its output, and the gradients of input and weights of a fixed linear
// function of the output.

import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, WeightSpec } from '@thaw/common/model/graph.ts';
import { keyedStream } from '@thaw/common/random/stream.ts';
import { dropoutMask } from '@thaw/trainer/model/dropout-mask.ts';
import { compile, execute } from '@thaw/trainer/model/execute.ts';
import type { LayerCase } from './layer-cases.ts';

const batch = 3;

/** By name: `output`, `input`, and every weight that can be trained. */
export function layerGradients({ graph, name }: LayerCase): Map<string, Float32Array> {
  const shape = [batch, ...(graph.layers[0]?.outputShape ?? [])];
  const specs = graph.layers.flatMap(({ weights }) => weights);
  const values = [randomTensor(`${name} input`, shape), ...specs.map((spec) => weightValue(name, spec))];
  const operations = compile(
    graph,
    graph.layers.map(({ path }) => path),
    [graph.output],
  );
  const results = tf.tidy(() => {
    const tensors = values.map(({ shape, data }) => tf.tensor(data, [...shape]));
    let kept: tf.Tensor | undefined;
    const run = (...[input, ...weights]: tf.Tensor[]): tf.Scalar => {
      const byName = new Map(specs.map((spec, i) => [spec.name, weights[i] as tf.Tensor]));
      const output = execute(operations, new Map([[graph.input, input as tf.Tensor]]), {
        value: (wanted) => byName.get(wanted) as tf.Tensor,
        mask: ({ path, config }, shape) => tf.tensor(maskOf(path, Number(config.rate), shape), [...shape]),
      }).get(graph.output) as tf.Tensor;
      kept = tf.keep(tf.clone(output));
      const { data } = randomTensor(`${name} output`, output.shape);
      return tf.sum(tf.mul(output, tf.tensor(data, output.shape)));
    };
    const { grads } = tf.valueAndGrads(run)(tensors);
    return [kept as tf.Tensor, ...grads];
  }) as tf.Tensor[];
  const names = ['output', 'input', ...specs.map((spec) => spec.name)];
  const read = new Map(names.map((name, i) => [name, (results[i] as tf.Tensor).dataSync() as Float32Array]));
  tf.dispose(results);
  return read;
}

function maskOf(layer: string, rate: number, shape: readonly number[]): Float32Array {
  return dropoutMask({ seed: 1, layer, rate, epoch: 0, sampleIds: ['a', 'b', 'c'], shape });
}

/** Statistics and scales away from 0 and 1, so that no factor is forgotten unseen. */
function weightValue(name: string, { name: weight, shape, role }: WeightSpec): Tensor {
  const { data } = randomTensor(`${name} ${weight}`, shape);
  if (role === 'movingVariance') return { shape, data: data.map((value) => 0.5 + value * value) };
  if (role === 'gamma') return { shape, data: data.map((value) => 1 + value / 2) };
  return { shape, data };
}

/** Uniform in -1..1. */
function randomTensor(key: string, shape: readonly number[]): Tensor {
  const stream = keyedStream(3, 'initialise', key);
  const length = shape.reduce((product, size) => product * size, 1);
  return { shape, data: Float32Array.from({ length }, () => 2 * stream.uniform() - 1) };
}
