// Every promised layer kind means what Keras means by it. The judge is another implementation of Keras' layers, that of
// tfjs-layers, given the same config and weights; for what it does not know, the function of one number is written out.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import * as layersLibrary from '@tensorflow/tfjs-layers';
import type { Graph, Layer } from '@thaw/common/model/graph.ts';
import { createEngine } from '@thaw/trainer/engine/create-engine.ts';
import { frozenCases, type LayerCase, layerCases } from '../support/layer-cases.ts';
import { caseValues, layerGradients, layerOutput, outputFactors } from '../support/layer-gradients.ts';
import { relativeDistance } from '../support/tensor-distance.ts';
import { skipWithoutTensorflow } from '../support/tensorflow.ts';

const tolerance = 1e-5;
const skip = await skipWithoutTensorflow();

/** ReLU with all its settings, as keras.layers.ReLU defines it. */
const relu =
  ({ max = Number.POSITIVE_INFINITY, slope = 0, threshold = 0 }) =>
  (x: number): number =>
    x >= max ? max : x >= threshold ? x : slope * (x - threshold);

const silu = (x: number): number => x / (1 + Math.exp(-x));

/** By case name: what tfjs-layers lacks. The last layer of these is a function of one number. */
const pointwise: Readonly<Record<string, (x: number) => number>> = {
  'Activation silu': silu,
  'Activation swish': silu,
  'Activation hard_sigmoid': (x) => Math.min(1, Math.max(0, x / 5 + 1 / 2)),
  'Activation gelu': (x) => (x / 2) * (1 + erf(x / Math.SQRT2)),
  'ReLU with slope': relu({ slope: 0.2 }),
  'ReLU with threshold': relu({ threshold: 0.5 }),
  'ReLU with slope, threshold and ceiling': relu({ slope: 0.2, threshold: 0.5, max: 1.5 }),
  'LeakyReLU, negative_slope': relu({ slope: 0.2 }),
  'Normalization of no variance': (x) => (x - 0.25) / 1e-7,
};

before(async () => {
  await createEngine({ kind: 'cpu', threads: 1, gpus: 0 });
});

describe('the output in inference is the definition’s', () => {
  for (const layerCase of [...layerCases, ...frozenCases]) {
    it(layerCase.name, () => {
      const found = layerOutput(layerCase).get('output') ?? [];
      const distance = relativeDistance(found, outputByDefinition(layerCase));
      assert.ok(distance <= tolerance, `${distance.toExponential(1)} of its norm apart`);
    });
  }
});

describe('the gradients are the definition’s', { skip }, () => {
  before(async () => {
    await tf.setBackend('tensorflow'); // of the two, the one whose own gradients of pooling are right
  });
  // Dropout is drawn otherwise by the library; the training oracle covers it.
  for (const layerCase of layerCases.filter(({ kinds }) => !kinds.includes('Dropout'))) {
    it(layerCase.name, () => {
      const found = layerGradients(layerCase);
      const define = pointwise[layerCase.name];
      const expected = define ? pointwiseGradients(layerCase, define) : libraryGradients(layerCase);
      for (const [name, values] of expected) {
        const distance = relativeDistance(found.get(name) ?? [], values);
        assert.ok(distance <= tolerance, `${name}: ${distance.toExponential(1)} of its norm apart`);
      }
      assert.equal(expected.size, found.size - 1); // without the output
    });
  }
});

function outputByDefinition(layerCase: LayerCase): ArrayLike<number> {
  const define = pointwise[layerCase.name];
  if (define) return pointwiseOutput(layerCase, define);
  return layerCase.name === 'DepthwiseConv2D, dilation 2' ? dilatedDepthwise(layerCase) : libraryOutput(layerCase);
}

/** By central differences in float64; no input of the cases is that near to a kink. */
function pointwiseGradients(layerCase: LayerCase, define: (x: number) => number): Map<string, ArrayLike<number>> {
  const width = 1e-5;
  const { data } = caseValues(layerCase).input;
  const scale = scaleOf(layerCase);
  const factors = outputFactors(layerCase.name, [data.length]).data;
  const gradient = Array.from(data, (x, i) => {
    const rise = define(x * scale + width) - define(x * scale - width);
    return ((factors[i] as number) * scale * rise) / (2 * width);
  });
  return new Map([['input', gradient]]);
}

function scaleOf({ graph }: LayerCase): number {
  return Number(graph.layers.find(({ kind }) => kind === 'Rescaling')?.config.scale ?? 1);
}

function pointwiseOutput(layerCase: LayerCase, define: (x: number) => number): number[] {
  const scale = scaleOf(layerCase);
  return Array.from(caseValues(layerCase).input.data, (x) => define(x * scale));
}

/** 2/√π times the integral of exp(-t²) from 0 to x, by Simpson's rule. */
function erf(x: number): number {
  const intervals = 2000;
  const width = x / intervals;
  let sum = 0;
  for (let i = 0; i <= intervals; i++) {
    const weight = i === 0 || i === intervals ? 1 : i % 2 === 0 ? 2 : 4;
    sum += weight * Math.exp(-((i * width) ** 2));
  }
  return (2 / Math.sqrt(Math.PI)) * (width / 3) * sum;
}

/** A dilated depthwise convolution, padded to `same`: tfjs-layers ignores the dilation. */
function dilatedDepthwise(layerCase: LayerCase): number[] {
  const { input, weights } = caseValues(layerCase);
  const [batch, height, width, channels] = input.shape as [number, number, number, number];
  const kernel = weights.get('x/layer0/depthwise_kernel')?.data ?? [];
  const bias = weights.get('x/layer0/bias')?.data ?? [];
  const output: number[] = [];
  for (let place = 0; place < batch * height * width * channels; place++) {
    const c = place % channels;
    const x = Math.floor(place / channels) % width;
    const y = Math.floor(place / channels / width) % height;
    const sample = Math.floor(place / channels / width / height);
    let sum = bias[c] as number;
    for (let tap = 0; tap < 9; tap++) {
      const [fromY, fromX] = [y + 2 * (Math.floor(tap / 3) - 1), x + 2 * ((tap % 3) - 1)];
      if (fromY < 0 || fromY >= height || fromX < 0 || fromX >= width) continue;
      const from = ((sample * height + fromY) * width + fromX) * channels + c;
      sum += (kernel[tap * channels + c] as number) * (input.data[from] as number);
    }
    output.push(sum);
  }
  return output;
}

function libraryOutput(layerCase: LayerCase): Float32Array {
  return tf.tidy(() => {
    const { input } = caseValues(layerCase);
    const output = weightedModel(layerCase).predict(tf.tensor(input.data, [...input.shape])) as tf.Tensor;
    return output.dataSync() as Float32Array;
  });
}

/** Of the input and of every trainable weight, through the library's own operations. */
function libraryGradients(layerCase: LayerCase): Map<string, ArrayLike<number>> {
  const { input } = caseValues(layerCase);
  const model = weightedModel(layerCase);
  const pixels = tf.variable(tf.tensor(input.data, [...input.shape]));
  const trainable = new Set(layerCase.graph.layers.flatMap(({ weights }) => weights.map(({ name }) => name)));
  const variables = model.layers
    .flatMap((layer) =>
      layer.trainableWeights.map(
        (weight) => [`${layer.name}/${weight.originalName.split('/').at(-1)}`, weight] as const,
      ),
    )
    .filter(([name]) => trainable.has(name))
    .map(([name, weight]) => [name, (weight as unknown as { val: tf.Variable }).val] as const);
  const { grads } = tf.variableGrads(() => {
    const output = model.apply(pixels) as tf.Tensor;
    const { data, shape } = outputFactors(layerCase.name, output.shape);
    return tf.sum(tf.mul(output, tf.tensor(data, [...shape])));
  }, [pixels, ...variables.map(([, variable]) => variable)]);
  const read = ({ name }: tf.Variable) => grads[name]?.dataSync() as Float32Array;
  return new Map([['input', read(pixels)], ...variables.map(([name, variable]) => [name, read(variable)] as const)]);
}

function weightedModel(layerCase: LayerCase): layersLibrary.LayersModel {
  const { weights } = caseValues(layerCase);
  const model = libraryModel(layerCase.graph);
  for (const layer of layerCase.graph.layers) {
    const tensors = libraryWeights(layer).map(({ name, shape, fallback }) => {
      const value = weights.get(`${layer.path}/${name}`)?.data;
      return value ? tf.tensor(value, [...shape]) : tf.fill([...shape], fallback);
    });
    if (tensors.length > 0) model.getLayer(layer.path).setWeights(tensors);
  }
  return model;
}

interface LibraryWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly fallback: number;
}

/** The library cannot differentiate a normalisation without scale or centre: it gets a gamma of 1 and a beta of 0. */
function libraryWeights({ kind, path, weights }: Layer): LibraryWeight[] {
  const own = weights.map(({ name, shape }) => ({ name: name.slice(path.length + 1), shape, fallback: 0 }));
  if (own.length === 0 || !kind.endsWith('Normalization')) return own;
  const statistics = own.slice(-2);
  const shape = statistics[0]?.shape ?? [];
  return [{ name: 'gamma', shape, fallback: 1 }, { name: 'beta', shape, fallback: 0 }, ...statistics];
}

function libraryModel(graph: Graph): layersLibrary.LayersModel {
  const symbolic = new Map<string, layersLibrary.SymbolicTensor>();
  for (const layer of graph.layers) {
    const inputs = layer.inputs.map((path) => symbolic.get(path) as layersLibrary.SymbolicTensor);
    symbolic.set(layer.path, inputs.length === 0 ? inputOf(layer) : librarySymbol(layer, inputs));
  }
  const [inputs, outputs] = [graph.input, graph.output].map((path) => symbolic.get(path));
  return layersLibrary.model({ inputs, outputs } as Parameters<typeof layersLibrary.model>[0]);
}

function inputOf({ outputShape }: Layer): layersLibrary.SymbolicTensor {
  return layersLibrary.input({ shape: [...outputShape] });
}

function librarySymbol(layer: Layer, inputs: layersLibrary.SymbolicTensor[]): layersLibrary.SymbolicTensor {
  const known = layer.kind === 'Normalization' ? knownNormalization(layer.config) : layer;
  const config = Object.entries(known.config).map(([key, value]) => [camelCase(key), value] as const);
  const make = factoryOf(known.kind) as (config: unknown) => { apply(inputs: unknown): layersLibrary.SymbolicTensor };
  const whole = known.kind === 'BatchNormalization' ? { scale: true, center: true } : {};
  return make({ ...Object.fromEntries(config), ...whole, name: layer.path }).apply(
    inputs.length === 1 ? inputs[0] : inputs,
  );
}

/** Keras' Normalization, (x - mean) / sqrt(variance), in what the library has. */
function knownNormalization({ mean, variance }: Layer['config']): Pick<Layer, 'kind' | 'config'> {
  if (mean === undefined) return { kind: 'BatchNormalization', config: { epsilon: 0 } };
  const scale = (variance as number[]).map((value) => 1 / Math.sqrt(value));
  const offset = scale.map((factor, channel) => -factor * ((mean as number[])[channel] as number));
  return { kind: 'Rescaling', config: { scale, offset } };
}

function factoryOf(kind: string): unknown {
  const own: Readonly<Record<string, string>> = { ReLU: 'reLU', LeakyReLU: 'leakyReLU' };
  const name = own[kind] ?? kind.replace(/^./, (first) => first.toLowerCase()).replace('2D', '2d');
  return (layersLibrary.layers as unknown as Record<string, unknown>)[name];
}

function camelCase(key: string): string {
  return key.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}
