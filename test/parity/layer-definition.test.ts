// Every promised layer kind means what Keras means by it. The judge is another implementation of Keras' layers, that of
// tfjs-layers, given the same config and weights; for what it does not know, the function of one number is written out.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import * as layersLibrary from '@tensorflow/tfjs-layers';
import type { Graph, Layer } from '@thaw/common/model/graph.ts';
import { createEngine } from '@thaw/trainer/engine/create-engine.ts';
import { frozenCases, type LayerCase, layerCases } from '../support/layer-cases.ts';
import { caseValues, layerOutput } from '../support/layer-gradients.ts';
import { relativeDistance } from '../support/tensor-distance.ts';

const tolerance = 1e-5;

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

function outputByDefinition(layerCase: LayerCase): ArrayLike<number> {
  const define = pointwise[layerCase.name];
  if (define) return pointwiseOutput(layerCase, define);
  return layerCase.name === 'DepthwiseConv2D, dilation 2' ? dilatedDepthwise(layerCase) : libraryOutput(layerCase);
}

function pointwiseOutput(layerCase: LayerCase, define: (x: number) => number): number[] {
  const { layers } = layerCase.graph;
  const scale = layers.find(({ kind }) => kind === 'Rescaling')?.config.scale ?? 1;
  return Array.from(caseValues(layerCase).input.data, (x) => define(x * (scale as number)));
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
  const { input, weights } = caseValues(layerCase);
  const model = libraryModel(layerCase.graph);
  for (const layer of layerCase.graph.layers) {
    const tensors = layer.weights.map(({ name, shape }) => tf.tensor(weights.get(name)?.data ?? [], [...shape]));
    if (tensors.length > 0) model.getLayer(layer.path).setWeights(tensors);
  }
  const output = model.predict(tf.tensor(input.data, [...input.shape])) as tf.Tensor;
  return output.dataSync() as Float32Array;
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
  const config = Object.entries(layer.config).map(([key, value]) => [camelCase(key), value] as const);
  const make = factoryOf(layer.kind) as (config: unknown) => { apply(inputs: unknown): layersLibrary.SymbolicTensor };
  return make({ ...Object.fromEntries(config), name: layer.path }).apply(inputs.length === 1 ? inputs[0] : inputs);
}

function factoryOf(kind: string): unknown {
  const own: Readonly<Record<string, string>> = { ReLU: 'reLU', LeakyReLU: 'leakyReLU' };
  const name = own[kind] ?? kind.replace(/^./, (first) => first.toLowerCase()).replace('2D', '2d');
  return (layersLibrary.layers as unknown as Record<string, unknown>)[name];
}

function camelCase(key: string): string {
  return key.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}
