// A made-up network for tests of training: two convolutions with normalisation and a shortcut, and a head of several
// layers with dropout. Its weights are drawn, statistics included, so that nothing is 0 or 1 by chance.

import type { Preprocessing } from '@thaw/common/job/resolved-job.ts';
import { type Graph, graphVersion, type Layer, type Tensor, type Weights } from '@thaw/common/model/graph.ts';
import { addLayer, type NewLayer } from '@thaw/common/model/infer.ts';
import { keyedStream } from '@thaw/common/random/stream.ts';

export const smallClasses = 4;
export const smallSide = 10;

export const smallPreprocessing: Preprocessing = {
  height: smallSide,
  width: smallSide,
  resize: 'squash',
  channelOrder: 'rgb',
  scale: 1 / 255,
  mean: [0, 0, 0],
  std: [1, 1, 1],
};

type Row = readonly [path: string, kind: string, config: Record<string, unknown>, ...inputs: string[]];

const same = { kernel_size: [3, 3], strides: [1, 1], padding: 'same' };
const normalization = { axis: -1, epsilon: 1e-3, center: true, scale: true };

const rows: readonly Row[] = [
  ['backbone/input', 'InputLayer', { batch_input_shape: [null, smallSide, smallSide, 3] }],
  ['backbone/block1_conv', 'Conv2D', { ...same, filters: 6, use_bias: false }, 'backbone/input'],
  ['backbone/block1_bn', 'BatchNormalization', normalization, 'backbone/block1_conv'],
  ['backbone/block1_relu', 'ReLU', { max_value: 6 }, 'backbone/block1_bn'],
  ['backbone/block2_depthwise', 'DepthwiseConv2D', { ...same, use_bias: true }, 'backbone/block1_relu'],
  ['backbone/block2_bn', 'BatchNormalization', normalization, 'backbone/block2_depthwise'],
  ['backbone/block2_add', 'Add', {}, 'backbone/block2_bn', 'backbone/block1_relu'],
  ['backbone/block3_conv', 'Conv2D', { ...same, filters: 8, activation: 'relu' }, 'backbone/block2_add'],
  ['backbone/block3_bn', 'BatchNormalization', normalization, 'backbone/block3_conv'],
  ['head/pool', 'GlobalAveragePooling2D', {}, 'backbone/block3_bn'],
  ['head/dense', 'Dense', { units: 12, activation: 'tanh' }, 'head/pool'],
  ['head/dropout', 'Dropout', { rate: 0.3 }, 'head/dense'],
  ['head/dense_1', 'Dense', { units: 9, activation: 'relu' }, 'head/dropout'],
  ['head/dropout_1', 'Dropout', { rate: 0.2 }, 'head/dense_1'],
  ['head/output', 'Dense', { units: smallClasses, activation: 'softmax' }, 'head/dropout_1'],
];

export function smallGraph(): Graph {
  const layers = new Map<string, Layer>();
  for (const [path, kind, config, ...inputs] of rows) addLayer(layers, { path, kind, config, inputs } as NewLayer);
  return { version: graphVersion, layers: [...layers.values()], input: 'backbone/input', output: 'head/output' };
}

export function drawnWeights(graph: Graph, seed = 5): Weights {
  const specs = graph.layers.flatMap(({ weights }) => weights);
  return new Map(
    specs.map(({ name, shape, role }): [string, Tensor] => {
      const stream = keyedStream(seed, 'initialise', name);
      const length = shape.reduce((product, size) => product * size, 1);
      const drawn = Float32Array.from({ length }, () => stream.uniform() - 0.5);
      if (role === 'gamma' || role === 'movingVariance')
        return [name, { shape, data: drawn.map((value) => 1 + value) }];
      return [name, { shape, data: drawn }];
    }),
  );
}

/** Pixels drawn for a sample's id, [smallSide, smallSide, 3]. */
export function drawnPixels(id: string): Uint8Array {
  const stream = keyedStream(5, 'probe', id);
  return Uint8Array.from({ length: smallSide * smallSide * 3 }, () => stream.below(256));
}
