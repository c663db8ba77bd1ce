// Runs one layer case on the backend that is set: its output, and the gradients of input and trainable weights of a
// fixed linear function of the output.

import * as tf from '@tensorflow/tfjs-core';
import type { Graph, Tensor, WeightSpec } from '@thaw/common/model/graph.ts';
import { keyedStream } from '@thaw/common/random/stream.ts';
import { batchMoments } from '@thaw/trainer/model/batch-normalization.ts';
import { dropoutMask } from '@thaw/trainer/model/dropout-mask.ts';
import { compile, execute, type Operation } from '@thaw/trainer/model/execute.ts';
import type { LayerCase } from './layer-cases.ts';

const batch = 3;

/** By name: `output`, `input`, and every weight that can be trained: moving statistics are held as they are. */
export function layerGradients(layerCase: LayerCase): Map<string, Float32Array> {
  const { graph, name } = layerCase;
  const values = caseValues(layerCase);
  const specs = graph.layers.flatMap(({ weights }) => weights);
  const trained = specs.filter(({ role }) => role !== 'movingMean' && role !== 'movingVariance');
  const operations = operationsOf(layerCase);
  const results = tf.tidy(() => {
    const held = new Map([...values.weights].map(([weight, value]) => [weight, toTensor(value)]));
    let kept: tf.Tensor | undefined;
    const run = (...[input, ...weights]: tf.Tensor[]): tf.Scalar => {
      const current = new Map([...held, ...trained.map((spec, i) => [spec.name, weights[i] as tf.Tensor] as const)]);
      const output = execute(operations, new Map([[graph.input, input as tf.Tensor]]), {
        value: (wanted) => current.get(wanted) as tf.Tensor,
        moments: layerCase.byBatch ? (_, x) => batchMoments(x, tf.tensor2d([[1, 1, 0]]), 2) : null,
        mask: ({ path, config }, shape) => tf.tensor(maskOf(path, Number(config.rate), shape), [...shape]),
      }).get(graph.output) as tf.Tensor;
      kept = tf.keep(tf.clone(output));
      return tf.sum(tf.mul(output, toTensor(outputFactors(name, output.shape))));
    };
    const at = [
      toTensor(randomTensor(`${name} input`, inputShape(graph))),
      ...trained.map((spec) => held.get(spec.name)),
    ];
    const { grads } = tf.valueAndGrads(run)(at as tf.Tensor[]);
    return [kept as tf.Tensor, ...grads];
  }) as tf.Tensor[];
  const names = ['output', 'input', ...trained.map((spec) => spec.name)];
  const read = new Map(names.map((name, i) => [name, (results[i] as tf.Tensor).dataSync() as Float32Array]));
  tf.dispose(results);
  return read;
}

/** The output alone, in inference, of the same input and weights. */
export function layerOutput(layerCase: LayerCase, values = caseValues(layerCase)): Map<string, Float32Array> {
  const { graph } = layerCase;
  const output = tf.tidy(() => {
    const held = new Map([...values.weights].map(([weight, value]) => [weight, toTensor(value)]));
    const input = toTensor(values.input);
    const run = { value: (wanted: string) => held.get(wanted) as tf.Tensor, mask: null, inference: true };
    return execute(operationsOf(layerCase), new Map([[graph.input, input]]), run).get(graph.output) as tf.Tensor;
  });
  const read = output.dataSync() as Float32Array;
  output.dispose();
  return new Map([['output', read]]);
}

/** Input and weights that a case is run with. */
export function caseValues({ graph, name }: LayerCase): {
  readonly input: Tensor;
  readonly weights: Map<string, Tensor>;
} {
  const specs = graph.layers.flatMap(({ weights }) => weights);
  return {
    input: randomTensor(`${name} input`, inputShape(graph)),
    weights: new Map(specs.map((spec) => [spec.name, weightValue(name, spec)])),
  };
}

/** Coefficients of the linear function of a case's output that is differentiated. */
export function outputFactors(name: string, shape: readonly number[]): Tensor {
  return randomTensor(`${name} output`, shape);
}

function inputShape({ layers }: Graph): number[] {
  return [batch, ...(layers[0]?.outputShape ?? [])];
}

function operationsOf({ graph, byBatch }: LayerCase): Operation[] {
  const paths = graph.layers.map(({ path }) => path);
  return compile(graph, paths, [graph.output], new Set(byBatch ? paths : []));
}

function toTensor({ data, shape }: Tensor): tf.Tensor {
  return tf.tensor(data, [...shape]);
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
