// What Thaw reads, infers and writes, compared with stock tfjs: weights in every stored form, the shapes of random
// networks, and the outputs of the written model.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { Activation, HeadLayer } from '@thaw/common/job/resolved-job.ts';
import { efficientnetB0 } from '@thaw/common/model/architectures/efficientnet-b0.ts';
import { type Graph, graphVersion, type Layer, type Weights } from '@thaw/common/model/graph.ts';
import { addLayer } from '@thaw/common/model/infer.ts';
import { initialWeights } from '@thaw/common/model/initial-weights.ts';
import { decodeWeights, type StoredWeight } from '@thaw/common/model/weights-manifest.ts';
import { kerasName } from '@thaw/common/model/write-layers-model.ts';
import { keyedStream } from '@thaw/common/random/stream.ts';
import { compile, execute } from '@thaw/trainer/model/execute.ts';
import fc from 'fast-check';
import { stockModel } from '../support/fixtures/stock-tfjs.ts';
import { tinyGraph, tinyOutput, tinyWeights } from '../support/fixtures/tiny-graph.ts';
import { relativeDistance } from '../support/tensor-distance.ts';

const stored = fc
  .record({
    type: fc.constantFrom('float32', 'float16', 'uint8', 'uint16'),
    shape: fc.array(fc.nat(3), { maxLength: 3 }),
    scale: fc.double({ min: 1e-6, max: 10, noNaN: true }),
    min: fc.double({ min: -10, max: 10, noNaN: true }),
    seed: fc.nat(),
  })
  .map(({ type, shape, scale, min, seed }) => {
    const size = { float32: 4, float16: 2, uint8: 1, uint16: 2 }[type] as number;
    const stream = keyedStream(seed, 'probe', 'stored weight');
    const bytes = Uint8Array.from({ length: size * shape.reduce((a, b) => a * b, 1) }, () => stream.below(256));
    const quantization = type === 'float16' ? { dtype: type } : { dtype: type, scale, min };
    return { spec: { shape, dtype: 'float32', ...(type !== 'float32' && { quantization }) }, bytes };
  });

test('weights in every stored form are decoded as tfjs decodes them, bit for bit, or refused where one is no number', () => {
  fc.assert(
    fc.property(fc.array(stored, { maxLength: 5 }), (list) => {
      const specs: StoredWeight[] = list.map(({ spec }, i) => ({ ...spec, name: `w${i}` }));
      const bytes = Buffer.concat(list.map((one) => one.bytes));
      const theirs = tf.io.decodeWeights(new Uint8Array(bytes).buffer, specs as tf.io.WeightsManifestEntry[]);
      const expected = specs.map(({ name }) => [...((theirs[name] as tf.Tensor).dataSync() as Float32Array)]);
      const decode = () => decodeWeights(specs, bytes, 'weights');
      const unsound = expected.findIndex((values) => !values.every(Number.isFinite));
      if (unsound >= 0) {
        assert.throws(decode, (thrown) => thrown instanceof ThawError && thrown.message.includes(`w${unsound}`));
        return;
      }
      const ours = decode();
      for (const [i, { name }] of specs.entries()) assert.deepEqual([...(ours.get(name)?.data ?? [])], expected[i]);
    }),
  );
});

const pair = (max: number) => fc.tuple(fc.integer({ min: 1, max }), fc.integer({ min: 1, max }));
const stride = fc.integer({ min: 1, max: 3 });
const padding = fc.constantFrom('same', 'valid');
const both = (value: number): [number, number] => [value, value];
const convolutional = fc.record({ kernel_size: pair(4), strides: stride.map(both), padding, use_bias: fc.boolean() });
const withKind = (kind: string, config: fc.Arbitrary<object>) => config.map((one) => ({ kind, config: one }));
const filters = fc.integer({ min: 1, max: 5 });

const layerKinds = fc.oneof(
  withKind(
    'Conv2D',
    fc.tuple(convolutional, filters).map(([base, count]) => ({ ...base, filters: count })),
  ),
  withKind('Conv2D', fc.record({ kernel_size: pair(3), dilation_rate: pair(3), padding, filters })),
  withKind(
    'DepthwiseConv2D',
    fc.tuple(convolutional, filters).map(([base, depth_multiplier]) => ({ ...base, depth_multiplier })),
  ),
  withKind(
    'SeparableConv2D',
    fc.tuple(convolutional, filters).map(([base, count]) => ({ ...base, filters: count })),
  ),
  ...['MaxPooling2D', 'AveragePooling2D'].map((kind) =>
    withKind(kind, fc.record({ pool_size: pair(3), strides: pair(3), padding })),
  ),
  withKind('MaxPooling2D', fc.record({ pool_size: pair(3), strides: fc.constant(null) })),
  withKind(
    'ZeroPadding2D',
    fc.record({ padding: fc.oneof(fc.nat(3), fc.tuple(fc.nat(3), fc.nat(3)), fc.tuple(pair(3), pair(3))) }),
  ),
  withKind(
    'BatchNormalization',
    fc.record({ axis: fc.constant(-1), scale: fc.boolean(), center: fc.boolean(), epsilon: fc.constant(1e-3) }),
  ),
  withKind('ReLU', fc.record({ max_value: fc.constantFrom(null, 6) })),
  withKind('LeakyReLU', fc.record({ alpha: fc.constant(0.1) })),
  withKind('Dropout', fc.record({ rate: fc.constant(0.3) })),
  withKind('Rescaling', fc.record({ scale: fc.constant(2), offset: fc.constant(-1) })),
  withKind('GlobalAveragePooling2D', fc.constant({})),
  withKind('GlobalMaxPooling2D', fc.constant({})),
  withKind('Flatten', fc.constant({})),
  withKind('Dense', fc.record({ units: filters, use_bias: fc.boolean() })),
  withKind('Softmax', fc.constant({ axis: -1 })),
);

/** A chain of what fits; layers that our own reader refuses are left out. */
function chainOf(input: readonly number[], steps: readonly { kind: string; config: object }[]): Graph {
  const layers = new Map<string, Layer>();
  const config = { batch_input_shape: [null, ...input] };
  let last = addLayer(layers, { path: 'backbone/in', kind: 'InputLayer', config, inputs: [] }).path;
  for (const [i, step] of steps.entries()) {
    try {
      last = addLayer(layers, { ...step, path: `backbone/l${i}`, config: { ...step.config }, inputs: [last] }).path;
    } catch (thrown) {
      if (!(thrown instanceof ThawError)) throw thrown;
    }
  }
  return { version: graphVersion, layers: [...layers.values()], input: 'backbone/in', output: last };
}

function onesFor({ layers }: Graph): Weights {
  return new Map(
    layers
      .flatMap(({ weights }) => weights)
      .map(({ name, shape }) => [name, { shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1) }]),
  );
}

const inputs = fc.tuple(...[1, 1, 1].map((min) => fc.integer({ min, max: 9 })));

test('shapes of random networks are those that stock tfjs infers, and their weights load', async () => {
  await fc.assert(
    fc.asyncProperty(inputs, fc.array(layerKinds, { minLength: 1, maxLength: 6 }), async (input, steps) => {
      const graph = chainOf(input, steps);
      const model = await stockModel(graph, onesFor(graph));
      for (const { path, outputShape } of graph.layers) {
        assert.deepEqual(model.getLayer(kerasName(path)).outputShape, [null, ...outputShape], path);
      }
      model.dispose();
    }),
    { numRuns: 150 },
  );
});

const pooling: HeadLayer = { kind: 'globalAveragePooling' };
const dense = (activation: Activation, useBias = true): HeadLayer => ({ kind: 'dense', units: 7, activation, useBias });
const activations = ['linear', 'relu', 'relu6', 'sigmoid', 'tanh', 'softmax', 'elu', 'gelu', 'silu'] as const;

const heads: readonly (readonly HeadLayer[])[] = [
  [pooling],
  [{ kind: 'globalMaxPooling' }],
  [{ kind: 'flatten' }],
  [pooling, { kind: 'flatten' }, dense('relu')],
  [pooling, dense('linear', false), { kind: 'dropout', rate: 0.5 }],
  [{ kind: 'batchNormalization', momentum: 0.9, epsilon: 1e-2 }, pooling],
  ...activations.flatMap((activation) => [
    [pooling, dense(activation)],
    [{ kind: 'activation', activation }, pooling] as const,
  ]),
];

for (const head of heads) {
  test(`stock tfjs computes what Thaw computes: ${JSON.stringify(head)}`, async () => {
    const graph = tinyGraph({ head: [...head, tinyOutput] });
    const weights = tinyWeights(graph);
    const model = await stockModel(graph, weights);
    const stream = keyedStream(1, 'probe', 'pictures');
    const pixels = tf.tensor4d(
      Float32Array.from({ length: 2 * 24 * 24 * 3 }, () => stream.uniform()),
      [2, 24, 24, 3],
    );
    const stock = (model.predict(pixels) as tf.Tensor).dataSync();
    const ours = outputOf(graph, weights, pixels);
    assert.ok(Math.max(...ours) - Math.min(...ours) > 1e-3, 'the outputs differ from each other');
    for (const [i, value] of stock.entries()) assert.ok(Math.abs(value - (ours[i] as number)) < 1e-5, `${value}`);
    model.dispose();
  });
}

test('stock tfjs computes what Thaw computes: an EfficientNetB0 with published input statistics', async () => {
  const graph = efficientnetB0({ height: 33, width: 33, published: true });
  const weights = new Map(initialWeights(graph.layers, 1));
  weights.set('backbone/normalization/mean', { shape: [3], data: Float32Array.of(0.485, 0.456, 0.406) });
  weights.set('backbone/normalization/variance', { shape: [3], data: Float32Array.of(0.229, 0.224, 0.225) });
  const model = await stockModel(graph, weights);
  const stream = keyedStream(1, 'probe', 'pictures');
  const pixels = tf.tensor4d(
    Float32Array.from({ length: 2 * 33 * 33 * 3 }, () => stream.below(256)),
    [2, 33, 33, 3],
  );
  const stock = (model.predict(pixels) as tf.Tensor).dataSync();
  const ours = outputOf(graph, weights, pixels);
  const half = ours.length / 2;
  assert.ok(relativeDistance(ours.subarray(0, half), ours.subarray(half)) > 1e-2, 'the pictures look different');
  assert.ok(relativeDistance(ours, stock) < 1e-4, `${relativeDistance(ours, stock)} apart`);
  model.dispose();
});

function outputOf(graph: Graph, weights: Weights, pixels: tf.Tensor): Float32Array {
  const paths = graph.layers.map(({ path }) => path);
  return tf.tidy(() => {
    const tensors = new Map([...weights].map(([name, { shape, data }]) => [name, tf.tensor(data, [...shape])]));
    const outputs = execute(compile(graph, paths, [graph.output]), new Map([[graph.input, pixels]]), {
      value: (name) => tensors.get(name) as tf.Tensor,
      mask: (_layer, shape) => tf.ones([...shape]),
    });
    return (outputs.get(graph.output) as tf.Tensor).dataSync() as Float32Array;
  });
}
