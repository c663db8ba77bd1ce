// The whole network in one piece, written from the layers' definitions: every layer runs for every batch, nothing is
// folded, split, cached or freed early. Slow and plain on purpose: it is what the trainer's execution is judged by, and
// shares nothing with it but the graph and the keyed random numbers.

import * as tf from '@tensorflow/tfjs-core';
import type { Graph, Layer } from '@thaw/common/model/graph.ts';
import { keyedStream } from '@thaw/common/random/stream.ts';

export interface OracleBatch {
  /** [samples, height, width, 3], rgb bytes. */
  readonly pixels: Uint8Array;
  readonly labels: readonly number[];
  readonly sampleIds: readonly string[];
  readonly epoch: number;
}

export interface OracleNetwork {
  readonly graph: Graph;
  readonly seed: number;
  /** Bytes are multiplied by it; the models of these tests want no more. */
  readonly scale: number;
}

/** Sees every rectifier's input, [samples, …], and may give another in its place. */
export type RectifierInput = (path: string, x: tf.Tensor) => tf.Tensor;

/** Output of the last layer before its softmax, [samples, classes]. `values`: every weight by name. */
export function oracleLogits(
  { graph, seed, scale }: OracleNetwork,
  batch: OracleBatch,
  { values, rectifierInput }: { values: ReadonlyMap<string, tf.Tensor>; rectifierInput: RectifierInput },
): tf.Tensor2D {
  const outputs = new Map<string, tf.Tensor>();
  for (const layer of graph.layers) {
    const inputs = layer.inputs.map((path) => outputs.get(path) as tf.Tensor);
    const weight = (name: string) => values.get(`${layer.path}/${name}`) as tf.Tensor;
    const output = preActivation(layer, inputs, weight, { batch, seed, scale });
    const isRectifier = layer.kind === 'ReLU' || layer.config.activation === 'relu';
    const seen = isRectifier ? rectifierInput(layer.path, output) : output;
    outputs.set(layer.path, layer.path === graph.output ? seen : activated(layer, seen));
  }
  return outputs.get(graph.output) as tf.Tensor2D;
}

interface Surroundings {
  readonly batch: OracleBatch;
  readonly seed: number;
  readonly scale: number;
}

function preActivation(
  layer: Layer,
  inputs: readonly tf.Tensor[],
  weight: (name: string) => tf.Tensor,
  { batch, seed, scale }: Surroundings,
): tf.Tensor {
  if (layer.kind === 'InputLayer') return inputOf(layer, batch, scale);
  if (layer.kind === 'Dropout') return tf.mul(inputs[0] as tf.Tensor, maskOf(layer, batch, seed));
  return layerOutput(layer, inputs, weight);
}

function inputOf({ outputShape }: Layer, { pixels, labels }: OracleBatch, scale: number): tf.Tensor {
  return tf.mul(tf.tensor(Float32Array.from(pixels), [labels.length, ...outputShape]), scale);
}

/** Each value is dropped with probability `rate` and else divided by 1 - rate, drawn for each sample by its id. */
function maskOf({ path, config, outputShape }: Layer, { sampleIds, epoch }: OracleBatch, seed: number): tf.Tensor {
  const rate = config.rate as number;
  const floats = outputShape.reduce((product, size) => product * size, 1);
  const rows = sampleIds.map((id) => {
    const stream = keyedStream(seed, 'dropout', path, epoch, id);
    return tf.tensor(
      Array.from({ length: floats }, () => (stream.uniform() < rate ? 0 : 1 / (1 - rate))),
      [...outputShape],
    );
  });
  return tf.stack(rows);
}

function layerOutput(layer: Layer, inputs: readonly tf.Tensor[], weight: (name: string) => tf.Tensor): tf.Tensor {
  const { config } = layer;
  const x = inputs[0] as tf.Tensor4D;
  const biased = (product: tf.Tensor): tf.Tensor =>
    config.use_bias === false ? product : tf.add(product, weight('bias'));
  const strides = config.strides as [number, number];
  const padding = config.padding as 'same' | 'valid';
  switch (layer.kind) {
    case 'Conv2D':
      return biased(tf.conv2d(x, weight('kernel') as tf.Tensor4D, strides, padding));
    case 'DepthwiseConv2D':
      return biased(tf.depthwiseConv2d(x, weight('depthwise_kernel') as tf.Tensor4D, strides, padding));
    case 'Dense':
      return biased(tf.matMul(inputs[0] as tf.Tensor2D, weight('kernel') as tf.Tensor2D));
    case 'BatchNormalization': {
      const deviation = tf.sqrt(tf.add(weight('moving_variance'), config.epsilon as number));
      const normal = tf.div(tf.sub(x, weight('moving_mean')), deviation);
      return tf.add(tf.mul(normal, weight('gamma')), weight('beta'));
    }
    case 'ZeroPadding2D': {
      const [[top, bottom], [left, right]] = config.padding as [[number, number], [number, number]];
      return tf.pad4d(x, [[0, 0], [top, bottom], [left, right], [0, 0]]); // biome-ignore format: one pair an axis
    }
    case 'Add':
      return tf.add(x, inputs[1] as tf.Tensor);
    case 'MaxPooling2D':
      return tf.maxPool(x, config.pool_size as [number, number], strides, padding);
    case 'GlobalAveragePooling2D':
      return tf.mean(x, [1, 2]);
    case 'ReLU':
    case 'Activation':
      return x;
    default:
      throw new Error(`the oracle has no definition of ${layer.kind}`);
  }
}

function activated({ kind, config }: Layer, x: tf.Tensor): tf.Tensor {
  if (kind === 'ReLU') return config.max_value === 6 ? tf.relu6(x) : tf.relu(x);
  const name = config.activation;
  if (name === 'relu') return tf.relu(x);
  if (name === 'tanh') return tf.tanh(x);
  if (name === undefined || name === 'linear') return x;
  throw new Error(`the oracle has no definition of ${name}`);
}
