// Every builtin is the network of keras.applications: the same layers, and the same outputs at every block for random
// weights that Keras made, read from a file of Keras' and from safetensors. An untrained network answers with 1e-11 to
// whatever it is shown; here every output has to differ from picture to picture, so that a difference would be seen.
// Blocks are compared one by one, each on what Keras put out before it, because deep networks of random weights magnify
// rounding: over the whole depth Keras in float32 is up to 5e-4 from itself in float64 (measured at mixed10).

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { architectureOf } from '@thaw/common/model/architectures/architectures.ts';
import { blocksOf } from '@thaw/common/model/blocks.ts';
import type { Graph, Tensor } from '@thaw/common/model/graph.ts';
import { readFloatTensors } from '@thaw/common/tensors/safetensors.ts';
import { type ModelSource, openModelSource } from '@thaw/coordinator/prepare/model-source/open-model-source.ts';
import { compile, execute } from '@thaw/trainer/model/execute.ts';
import { kerasPython } from '../../support/keras.ts';
import { skipWithoutTensorflow } from '../../support/tensorflow.ts';

/** Of the standard deviation of what Keras computes, for a block alone. */
const tolerance = 1e-4;
/** The same from pixels to the last block. */
const wholeTolerance = 2e-3;
/** Standard deviation over pictures, averaged over what a layer puts out. */
const variationMin = 0.1;

interface Case {
  readonly name: string;
  readonly builtin: string;
  readonly application: string;
  /** Odd and even lengths are padded differently, all the way down. */
  readonly size: number;
  readonly published: boolean;
}

const builtinCase = (builtin: string, application: string, size: number, published = false): Case => ({
  name: `${builtin}-${size}${published ? '-published' : ''}`,
  ...{ builtin, application, size, published },
});
const cases: readonly Case[] = [
  builtinCase('vgg16', 'VGG16', 75),
  builtinCase('vgg19', 'VGG19', 64),
  builtinCase('resnet50', 'ResNet50', 97),
  builtinCase('inceptionV3', 'InceptionV3', 107),
  builtinCase('mobilenetV2', 'MobileNetV2', 97),
  builtinCase('mobilenetV2', 'MobileNetV2', 128),
  builtinCase('efficientnetB0', 'EfficientNetB0', 97),
  builtinCase('efficientnetB0', 'EfficientNetB0', 128, true),
];

const python = await kerasPython();
const skip = (typeof python === 'string' && python) || (await skipWithoutTensorflow());

let folder = '';
before(async () => {
  if (skip || typeof python === 'string') return;
  folder = await mkdtemp(path.join(tmpdir(), 'thaw-keras-'));
  const request = path.join(folder, 'request.json');
  const wanted = cases.map((one) => ({ ...one, outputs: comparedLayers(topology(one)).map(layerName) }));
  await writeFile(request, JSON.stringify(wanted));
  await python.run(path.join(import.meta.dirname, 'applications.py'), [request, folder]);
});
after(() => rm(folder, { recursive: true, force: true }));

for (const one of cases) {
  const { name, builtin, size } = one;
  const open = (file: string): Promise<ModelSource> =>
    openModelSource(`builtin:${builtin}`, {
      baseDirectory: path.join(folder, name),
      inputSize: { height: size, width: size },
      weights: { source: `file:${file}` },
    });

  describe(`${name} and keras.applications`, { skip }, () => {
    it('have the same layers', async () => {
      const { graph } = await open('weights.safetensors');
      const keras = await readJson<{ parameters: number; layers: KerasLayer[] }>(
        path.join(folder, name, 'layers.json'),
      );
      const ours = graph.layers.map(({ path, kind, outputShape, inputs }) => ({
        ...{ name: layerName(path), kind, outputShape, inputs: inputs.map(layerName) },
      }));
      assert.deepEqual(byName(ours), byName(keras.layers));
      const counters = graph.layers.filter(({ kind }) => kind === 'Normalization').length;
      assert.equal(elementsOf([...(await open('weights.safetensors')).weights.values()]) + counters, keras.parameters);
    });

    it(`put out the same at every block, to ${tolerance} of the standard deviation`, async (context) => {
      const source = await open('weights.safetensors');
      const cuts = comparedLayers(source.graph);
      const keras = await tensorsOf(name, 'outputs');
      assert.ok(cuts.length >= 5 && cuts.length === keras.size, `${cuts.length} of ${keras.size} outputs`);
      const pixels = (await tensorsOf(name, 'pixels')).get('pixels') as Tensor;
      let before = { path: source.graph.input, output: pixels };
      let worst = 0;
      for (const path of cuts) {
        const output = keras.get(layerName(path)) as Tensor;
        const variation = variationOverPictures(output);
        assert.ok(variation > variationMin, `${path}: varies by ${variation} over the pictures`);
        const distance = distanceOf(outputOf(source, before, path), output);
        assert.ok(distance <= tolerance, `${path}: ${distance.toExponential(1)} standard deviations apart`);
        worst = Math.max(worst, distance);
        before = { path, output };
      }
      const last = cuts.at(-1) as string;
      const whole = distanceOf(outputOf(source, { path: source.graph.input, output: pixels }, last), before.output);
      assert.ok(whole <= wholeTolerance, `from pixels to ${last}: ${whole.toExponential(1)} standard deviations apart`);
      context.diagnostic(
        `${name}: ${cuts.length} blocks, at most ${worst.toExponential(1)} apart; the whole ${whole.toExponential(1)}`,
      );
    });

    it('get the same weights from a file that Keras wrote', async () => {
      const fromKeras = await open('keras.weights.h5');
      const fromSafetensors = await open('weights.safetensors');
      assert.equal(fromKeras.digest, fromSafetensors.digest);
    });
  });
}

interface KerasLayer {
  readonly name: string;
  readonly kind: string;
  readonly outputShape: readonly number[];
  readonly inputs: readonly string[];
}

function topology({ builtin, size, published }: Case): Graph {
  const architecture = architectureOf(builtin);
  assert.ok(architecture);
  return architecture.build({ height: size, width: size, published });
}

/**
 * Where one tensor alone crosses. Not behind a convolution, so that normalisations are folded into it as in training,
 * and not before the first block.
 */
function comparedLayers({ layers }: Graph): string[] {
  const [first] = blocksOf({ layers } as Graph)[0]?.layers ?? [];
  const lastReader = new Map(layers.flatMap(({ path, inputs }) => inputs.map((input) => [input, path])));
  const live = new Set<string>();
  const cuts: string[] = [];
  for (const { path, inputs, kind } of layers) {
    for (const input of inputs) if (lastReader.get(input) === path) live.delete(input);
    live.add(path);
    if (live.size === 1 && !kind.includes('Conv2D') && !kind.includes('Padding')) cuts.push(path);
  }
  const begin = layers.findIndex(({ path }) => path === first);
  return cuts.filter((cut) => layers.findIndex(({ path }) => path === cut) > begin);
}

/** The output of layer `path`, computed from that of a layer before it, which alone leads there. */
function outputOf(
  { graph, weights }: ModelSource,
  from: { readonly path: string; readonly output: Tensor },
  path: string,
): Tensor {
  const paths = graph.layers.map((layer) => layer.path);
  const between = paths.slice(paths.indexOf(from.path) + 1, paths.indexOf(path) + 1);
  const result = tf.tidy(() => {
    const value = (name: string): tf.Tensor => tensorOf(weights.get(name) as Tensor);
    const inputs = new Map([[from.path, tensorOf(from.output)]]);
    const run = { value, mask: null, inference: true };
    return execute(compile(graph, between, [path]), inputs, run).get(path) as tf.Tensor;
  });
  const read = { shape: result.shape, data: result.dataSync() as Float32Array };
  result.dispose();
  return read;
}

function tensorOf({ data, shape }: Tensor): tf.Tensor {
  return tf.tensor(data, [...shape]);
}

function layerName(layer: string): string {
  return layer.replace(/^backbone\//, '');
}

function byName<T extends { readonly name: string }>(layers: readonly T[]): T[] {
  return [...layers].sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function readJson<T>(file: string): Promise<T> {
  return JSON.parse(await readFile(file, 'utf8')) as T;
}

async function tensorsOf(name: string, what: string): Promise<ReadonlyMap<string, Tensor>> {
  return readFloatTensors(await readFile(path.join(folder, name, `${what}.safetensors`)), what);
}

function elementsOf(tensors: readonly Tensor[]): number {
  return tensors.reduce((sum, { data }) => sum + data.length, 0);
}

/** The largest difference, in standard deviations of what is expected. */
function distanceOf(found: Tensor, expected: Tensor): number {
  if (found.shape.join() !== expected.shape.join()) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (const [i, value] of expected.data.entries())
    largest = Math.max(largest, Math.abs((found.data[i] as number) - value));
  return largest / deviation(expected.data);
}

function deviation(values: ArrayLike<number>): number {
  const count = values.length;
  let mean = 0;
  for (let i = 0; i < count; i++) mean += (values[i] as number) / count;
  let square = 0;
  for (let i = 0; i < count; i++) square += ((values[i] as number) - mean) ** 2 / count;
  return Math.sqrt(square);
}

function variationOverPictures({ shape, data }: Tensor): number {
  const [pictures = 1] = shape;
  const floats = data.length / pictures;
  let sum = 0;
  for (let i = 0; i < floats; i++) {
    sum += deviation(Array.from({ length: pictures }, (_, picture) => data[picture * floats + i] as number));
  }
  return sum / floats;
}
