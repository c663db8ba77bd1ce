// builtin:resnet50 with weights that torchvision names computes what torchvision computes, at the stem and at every block,
// for even and odd lengths, which Keras and torch pad differently. resnet50.golden.json is what resnet50.py wrote; weights
// and pictures come from one function that both have, so torch itself is not needed here.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { crc32 } from 'node:zlib';
import * as tf from '@tensorflow/tfjs-core';
import { preprocessingPresets } from '@thaw/common/job/preprocessing.ts';
import type { Graph } from '@thaw/common/model/graph.ts';
import { type NamedTensor, writeSafetensors } from '@thaw/common/tensors/safetensors.ts';
import { type ModelSource, openModelSource } from '@thaw/coordinator/prepare/model-source/open-model-source.ts';
import { compile, execute } from '@thaw/trainer/model/execute.ts';
import { skipWithoutTensorflow } from '../../support/tensorflow.ts';

/** Of an output's standard deviation: float32 through fifty layers against torch in float64. */
const tolerance = 1e-4;
const pictures = 2;
/** Places in the golden: multiples of this, around the output's end. */
const step = 7919;

interface Golden {
  readonly shapes: Readonly<Record<string, readonly [dtype: string, ...shape: number[]]>>;
  readonly settings: {
    readonly convolutions: Readonly<Record<string, readonly [stride: number[], padding: number[], bias: boolean]>>;
    readonly epsilons: readonly number[];
  };
  readonly cases: readonly {
    readonly height: number;
    readonly width: number;
    readonly outputs: Readonly<Record<string, { readonly deviation: number; readonly values: readonly number[] }>>;
  }[];
}

const golden = JSON.parse(await readFile(path.join(import.meta.dirname, 'resnet50.golden.json'), 'utf8')) as Golden;
const skip = await skipWithoutTensorflow();

describe("builtin:resnet50 with torchvision's weights", { skip }, () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'thaw-torch-'));
    await writeFile(path.join(folder, 'resnet50.safetensors'), writeSafetensors(torchState()));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const open = (height: number, width: number): Promise<ModelSource> =>
    openModelSource('builtin:resnet50', {
      baseDirectory: folder,
      inputSize: { height, width },
      weights: { source: 'file:resnet50.safetensors' },
    });

  for (const { height, width, outputs } of golden.cases) {
    it(`computes the same at every block for ${height} x ${width}`, async () => {
      const { graph, weights } = await open(height, width);
      const found = run({ graph, weights } as ModelSource, Object.keys(outputs).map(thawLayer));
      for (const [name, { deviation, values }] of Object.entries(outputs)) {
        const output = found.get(thawLayer(name)) as Output;
        assert.ok(deviation > 0.1, `${name}: nearly equal outputs show little`);
        for (const [i, value] of values.entries()) {
          const apart = Math.abs(atTorchPlace(output, (i * step) % output.data.length) - value);
          assert.ok(
            apart <= tolerance * deviation,
            `${name}, value ${i}: ${apart} apart at a deviation of ${deviation}`,
          );
        }
      }
    });
  }

  it('has the strides, paddings, biases and epsilon of torchvision, and its preprocessing', async () => {
    const { graph, preprocessing, origin } = await open(64, 64);
    for (const [name, [stride, padding, bias]] of Object.entries(golden.settings.convolutions)) {
      const layer = layerOf(graph, thawLayer(name));
      const input = layerOf(graph, layer.inputs[0] as string);
      const pad = input.kind === 'ZeroPadding2D' ? (input.config.padding as number[][]).map(([side]) => side) : [0, 0];
      const { strides = [1, 1], padding: own = 'valid', use_bias: biased = true } = layer.config;
      assert.deepEqual([strides, pad, own, biased], [stride, padding, 'valid', bias], name);
    }
    const normalizations = graph.layers.filter(({ kind }) => kind === 'BatchNormalization');
    assert.deepEqual([...new Set(normalizations.map(({ config }) => config.epsilon))], golden.settings.epsilons);
    assert.deepEqual(preprocessing, preprocessingPresets.torch);
    assert.equal(origin, 'resnet50 as in torchvision, with the weights of resnet50.safetensors');
  });
});

function layerOf(graph: Graph, path: string): Graph['layers'][number] {
  return graph.layers.find((layer) => layer.path === path) ?? assert.fail(`no layer ${path}`);
}

/** Where torchvision's modules are in the builtin. */
function thawLayer(name: string): string {
  if (name === 'maxpool') return 'backbone/pool1_pool';
  if (name === 'conv1') return 'backbone/conv1_conv';
  const [layer = '', block = '', part, index] = name.split('.');
  const place = `backbone/conv${Number(layer.slice(5)) + 1}_block${Number(block) + 1}`;
  if (part === undefined) return `${place}_out`;
  return part === 'downsample' ? `${place}_${index}_conv` : `${place}_${part.slice(4)}_conv`;
}

/** uniform() of resnet50.py. */
function uniform(name: string, count: number): Float64Array {
  const seed = crc32(name);
  return Float64Array.from({ length: count }, (_, i) => {
    let x = (Math.imul(i, 2654435761) + seed) | 0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32;
  });
}

/** value() of resnet50.py for every tensor, the classifier and the counters too. */
function torchState(): Map<string, NamedTensor> {
  return new Map(
    Object.entries(golden.shapes).map(([name, [dtype, ...shape]]): [string, NamedTensor] => {
      if (dtype === 'int64') return [name, { shape, data: new BigInt64Array(1) }];
      let [low, high] = [-0.3, 0.3];
      if (shape.length === 4) {
        high = Math.sqrt(6 / shape.slice(1).reduce((product, size) => product * size, 1));
        low = -high;
      } else if (/(running_var|weight)$/.test(name)) [low, high] = [0.5, 1.5];
      const drawn = uniform(name, shape.reduce((product, size) => product * size, 1)); // biome-ignore format: one draw
      return [name, { shape, data: Float32Array.from(drawn, (value) => low + (high - low) * value) }];
    }),
  );
}

interface Output {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

function run({ graph, weights }: ModelSource, wanted: readonly string[]): Map<string, Output> {
  const paths = graph.layers.map((layer) => layer.path);
  const operations = compile(graph, paths, wanted);
  const outputs = tf.tidy(() => {
    const value = (name: string): tf.Tensor => {
      const { data, shape } = weights.get(name) as Output;
      return tf.tensor(data, [...shape]);
    };
    const computed = execute(operations, new Map([[graph.input, input(graph)]]), { value, mask: null });
    return wanted.map((path) => tf.clone(computed.get(path) as tf.Tensor));
  });
  const read = outputs.map((output, i) => {
    return [wanted[i] as string, { shape: output.shape, data: output.dataSync() as Float32Array }] as const;
  });
  tf.dispose(outputs);
  return new Map(read);
}

/** The pictures of resnet50.py, channels last. */
function input(graph: Graph): tf.Tensor {
  const [height = 0, width = 0, channels = 0] = layerOf(graph, graph.input).outputShape;
  const shape = [pictures, channels, height, width];
  const drawn = uniform('pictures', pictures * channels * height * width);
  return tf.transpose(tf.tensor(Float32Array.from(drawn, (value) => 4 * value - 2), shape), [0, 2, 3, 1]); // biome-ignore format: one picture
}

/** `place` counts in [picture, channel, row, column], the output is [picture, row, column, channel]. */
function atTorchPlace({ shape, data }: Output, place: number): number {
  const [, height = 0, width = 0, channels = 0] = shape;
  const area = height * width;
  const picture = Math.floor(place / (area * channels));
  const channel = Math.floor(place / area) % channels;
  return data[(picture * area + (place % area)) * channels + channel] as number;
}
