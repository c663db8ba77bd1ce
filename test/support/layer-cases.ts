// One small network for every promised layer kind and the settings in which it is promised: what the parity suite
// runs on every engine, and what the kernel lists are checked against.

import type { Graph } from '@thaw/common/model/graph.ts';
import { graphVersion, type Layer } from '@thaw/common/model/graph.ts';
import { addLayer } from '@thaw/common/model/infer.ts';

export interface LayerCase {
  readonly name: string;
  /** Kinds that the case is there for. */
  readonly kinds: readonly string[];
  readonly graph: Graph;
}

type Step = readonly [kind: string, config?: Record<string, unknown>];

const image = [7, 6, 3];

/** A chain of layers on an input of [7, 6, 3]; odd and even sizes pad differently. */
function chain(name: string, steps: readonly Step[], input: readonly number[] = image): LayerCase {
  const layers = startOf(input);
  let last = 'x/input';
  for (const [i, [kind, config = {}]] of steps.entries()) {
    last = addLayer(layers, { path: `x/layer${i}`, kind, config, inputs: [last] }).path;
  }
  return { name, kinds: steps.map(([kind]) => kind), graph: graphOf(layers, last) };
}

/** Two convolutions of the input, joined. */
function join(kind: string, config: Record<string, unknown> = {}): LayerCase {
  const layers = startOf(image);
  const inputs = [0, 1].map((i) => {
    const convolution = { filters: 4, kernel_size: [i + 1, i + 1], padding: 'same' };
    return addLayer(layers, { path: `x/branch${i}`, kind: 'Conv2D', config: convolution, inputs: ['x/input'] }).path;
  });
  const joined = addLayer(layers, { path: 'x/joined', kind, config, inputs });
  return { name: `${kind} of two branches`, kinds: [kind], graph: graphOf(layers, joined.path) };
}

function startOf(input: readonly number[]): Map<string, Layer> {
  const layers = new Map<string, Layer>();
  const config = { batch_input_shape: [null, ...input] };
  addLayer(layers, { path: 'x/input', kind: 'InputLayer', config, inputs: [] });
  return layers;
}

function graphOf(layers: ReadonlyMap<string, Layer>, output: string): Graph {
  return { version: graphVersion, layers: [...layers.values()], input: 'x/input', output };
}

const conv = { filters: 5, kernel_size: [3, 3] };
const activations = ['linear', 'relu', 'relu6', 'sigmoid', 'tanh', 'softmax', 'elu', 'gelu', 'silu', 'hard_sigmoid'];

export const layerCases: readonly LayerCase[] = [
  ...['same', 'valid'].flatMap((padding) =>
    [1, 2].flatMap((stride) => [
      chain(`Conv2D 3x3 ${padding}, stride ${stride}`, [['Conv2D', { ...conv, padding, strides: [stride, stride] }]]),
      chain(`DepthwiseConv2D 3x3 ${padding}, stride ${stride}`, [
        ['DepthwiseConv2D', { kernel_size: [3, 3], padding, strides: [stride, stride] }],
      ]),
      chain(`MaxPooling2D 3x3 ${padding}, stride ${stride}`, [
        ['MaxPooling2D', { pool_size: [3, 3], padding, strides: [stride, stride] }],
      ]),
      chain(`AveragePooling2D 3x3 ${padding}, stride ${stride}`, [
        ['AveragePooling2D', { pool_size: [3, 3], padding, strides: [stride, stride] }],
      ]),
      chain(`SeparableConv2D 3x3 ${padding}, stride ${stride}`, [
        ['SeparableConv2D', { ...conv, padding, strides: [stride, stride], depth_multiplier: 2, activation: 'relu' }],
      ]),
    ]),
  ),
  chain('Conv2D 1x1', [['Conv2D', { filters: 5, kernel_size: [1, 1], activation: 'relu' }]]),
  chain('Conv2D 1x1, stride 2, without bias', [
    ['Conv2D', { filters: 5, kernel_size: [1, 1], strides: [2, 2], use_bias: false }],
  ]),
  chain('Conv2D 1x7 and 5x1', [
    ['Conv2D', { filters: 4, kernel_size: [1, 5], padding: 'same' }],
    ['Conv2D', { filters: 4, kernel_size: [5, 1], padding: 'same' }],
  ]),
  chain('DepthwiseConv2D with multiplier 2', [
    ['DepthwiseConv2D', { kernel_size: [3, 3], depth_multiplier: 2, activation: 'relu6' }],
  ]),
  chain('Conv2D, folded BatchNormalization, ReLU6', [
    ['Conv2D', { ...conv, use_bias: false }],
    ['BatchNormalization', { epsilon: 1e-3 }],
    ['ReLU', { max_value: 6 }],
  ]),
  chain('DepthwiseConv2D with multiplier 2, folded BatchNormalization', [
    ['DepthwiseConv2D', { kernel_size: [3, 3], depth_multiplier: 2 }],
    ['BatchNormalization', { epsilon: 1e-3 }],
  ]),
  chain('Dense, folded BatchNormalization', [['Flatten'], ['Dense', { units: 6 }], ['BatchNormalization']]),
  chain('BatchNormalization alone', [['BatchNormalization', { epsilon: 1e-3 }], ['ReLU']]),
  chain('BatchNormalization without scale', [['BatchNormalization', { scale: false }]]),
  chain('BatchNormalization without centre', [['BatchNormalization', { center: false }]]),
  chain('Dense', [['Flatten'], ['Dense', { units: 6, activation: 'relu' }]]),
  chain('Dense without bias', [['Flatten'], ['Dense', { units: 6, use_bias: false }]]),
  ...activations.map((activation) => chain(`Activation ${activation}`, [['Activation', { activation }]])),
  chain('ReLU', [['ReLU']]),
  chain('ReLU with ceiling 1', [['ReLU', { max_value: 1 }]]),
  chain('ReLU with slope and threshold', [['ReLU', { negative_slope: 0.2, threshold: 0.5, max_value: 1.5 }]]),
  chain('LeakyReLU', [['LeakyReLU', { alpha: 0.1 }]]),
  chain('Softmax', [['Flatten'], ['Softmax']]),
  chain('Rescaling', [['Rescaling', { scale: 2, offset: -1 }]]),
  chain('Dropout', [['Dropout', { rate: 0.4 }]]),
  chain('ZeroPadding2D', [
    [
      'ZeroPadding2D',
      {
        padding: [
          [0, 1],
          [2, 1],
        ],
      },
    ],
  ]),
  chain('GlobalAveragePooling2D', [['GlobalAveragePooling2D']]),
  chain('GlobalAveragePooling2D keeping dimensions', [['GlobalAveragePooling2D', { keepdims: true }]]),
  chain('GlobalMaxPooling2D', [['GlobalMaxPooling2D']]),
  chain('Flatten', [['Flatten']]),
  chain('Reshape', [['Reshape', { target_shape: [21, -1] }]]),
  join('Add'),
  join('Multiply'),
  join('Concatenate', { axis: -1 }),
];
