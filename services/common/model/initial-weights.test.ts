import assert from 'node:assert/strict';
import { test } from 'node:test';
import { efficientnetB0 } from './architectures/efficientnet-b0.ts';
import { resnet50 } from './architectures/resnet50.ts';
import type { Graph } from './graph.ts';
import { addLayer } from './infer.ts';
import { initialWeights } from './initial-weights.ts';

const size = { height: 32, width: 32 };

function values(graph: Graph, name: string, seed = 7): Float32Array {
  const layers = graph.layers.filter(({ path }) => name.startsWith(`${path}/`));
  return initialWeights(layers, seed).get(name)?.data ?? new Float32Array();
}

function moments(data: Float32Array): { readonly deviation: number; readonly largest: number } {
  const mean = data.reduce((sum, value) => sum + value / data.length, 0);
  const variance = data.reduce((sum, value) => sum + (value - mean) ** 2 / data.length, 0);
  return { deviation: Math.sqrt(variance), largest: data.reduce((max, value) => Math.max(max, Math.abs(value)), 0) };
}

/** Within 2 % of the deviation that Keras documents, and of its bound. */
function requireMoments(data: Float32Array, deviation: number, bound: number): void {
  const found = moments(data);
  assert.ok(Math.abs(found.deviation / deviation - 1) < 0.02, `deviation ${found.deviation}, not ${deviation}`);
  assert.ok(found.largest <= bound * (1 + 1e-6) && found.largest > 0.98 * bound, `${found.largest} of ${bound}`);
}

test('a convolution is Glorot uniform over inputs, outputs and window', () => {
  const limit = Math.sqrt(6 / (9 * 512 + 9 * 512));
  requireMoments(values(resnet50(size), 'backbone/conv5_block1_2_conv/kernel'), limit / Math.sqrt(3), limit);
});

test('EfficientNet’s convolutions are normal over their outputs, truncated at two deviations', () => {
  const deviation = Math.sqrt(2 / 1280);
  const bound = (2 * deviation) / 0.8796;
  requireMoments(values(efficientnetB0(size), 'backbone/top_conv/kernel'), deviation, bound);
});

test('a depthwise convolution has its own initializer, and one output a channel', () => {
  const deviation = Math.sqrt(2 / 25);
  const data = values(efficientnetB0(size), 'backbone/block6b_dwconv/depthwise_kernel');
  requireMoments(data, deviation, (2 * deviation) / 0.8796);
});

test('biases and means begin at 0, gammas and variances at 1', () => {
  const graph = resnet50(size);
  for (const [name, value] of [
    ['conv1_conv/bias', 0],
    ['conv1_bn/beta', 0],
    ['conv1_bn/gamma', 1],
    ['conv1_bn/moving_mean', 0],
    ['conv1_bn/moving_variance', 1],
  ] as const) {
    assert.deepEqual(values(graph, `backbone/${name}`), new Float32Array(64).fill(value));
  }
});

test('values depend on seed and name alone', () => {
  const graph = resnet50(size);
  const name = 'backbone/conv2_block1_1_conv/kernel';
  assert.deepEqual(initialWeights(graph.layers, 7).get(name)?.data, values(graph, name));
  assert.notDeepEqual(values(graph, name, 8), values(graph, name));
});

test('another initializer is refused by name', () => {
  const layers = new Map();
  addLayer(layers, { path: 'input', kind: 'InputLayer', config: { batch_input_shape: [null, 4] }, inputs: [] });
  const config = { units: 2, kernel_initializer: { class_name: 'Orthogonal', config: {} } };
  const dense = addLayer(layers, { path: 'dense', kind: 'Dense', config, inputs: ['input'] });
  assert.throws(
    () => initialWeights([dense], 1),
    /dense \(Dense\): kernel_initializer: found .*Orthogonal.*; expected/,
  );
});
