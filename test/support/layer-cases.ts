// One small network for every promised layer kind and the settings in which it is promised: what the parity suite
// runs on every engine, and what the kernel lists are checked against.

import type { Graph } from '@thaw/common/model/graph.ts';
import { graphVersion, type Layer } from '@thaw/common/model/graph.ts';
import { addLayer } from '@thaw/common/model/infer.ts';
import { activations } from '@thaw/common/model/layer-config.ts';

export interface LayerCase {
  readonly name: string;
  /** Kinds that the case is there for. */
  readonly kinds: readonly string[];
  readonly graph: Graph;
  /** Normalisations go by their batch, whose last row is padding. */
  readonly byBatch?: boolean;
}

type Step = readonly [kind: string, config?: Record<string, unknown>];

const image = [7, 6, 3];

/** A chain of layers on an input of [7, 6, 3] in -1..1; odd and even sizes pad differently. */
function chain(name: string, steps: readonly Step[], input: readonly number[] = image): LayerCase {
  const layers = startOf(input);
  let last = 'x/input';
  for (const [i, [kind, config = {}]] of steps.entries()) {
    last = addLayer(layers, { path: `x/layer${i}`, kind, config, inputs: [last] }).path;
  }
  return { name, kinds: steps.map(([kind]) => kind), graph: graphOf(layers, last) };
}

/** Convolutions of the input with 4 filters each, or as many as given, joined. */
function join(kind: string, filters: readonly number[] = [4, 4], config: Record<string, unknown> = {}): LayerCase {
  const layers = startOf(image);
  const inputs = filters.map((count, i) => {
    const convolution = { filters: count, kernel_size: [i + 1, i + 1], padding: 'same' };
    return addLayer(layers, { path: `x/branch${i}`, kind: 'Conv2D', config: convolution, inputs: ['x/input'] }).path;
  });
  const joined = addLayer(layers, { path: 'x/joined', kind, config, inputs });
  return { name: `${kind} of ${filters.length} branches`, kinds: [kind], graph: graphOf(layers, joined.path) };
}

/** A normalisation whose convolution is read by another layer too, so that it must not be folded. */
function sharedConvolution(): LayerCase {
  const layers = startOf(image);
  const convolution = { path: 'x/conv', kind: 'Conv2D', config: { filters: 4, kernel_size: [3, 3] } };
  addLayer(layers, { ...convolution, inputs: ['x/input'] });
  addLayer(layers, { path: 'x/bn', kind: 'BatchNormalization', config: {}, inputs: ['x/conv'] });
  addLayer(layers, { path: 'x/sum', kind: 'Add', config: {}, inputs: ['x/bn', 'x/conv'] });
  return { name: 'BatchNormalization of an output that is read twice', kinds: [], graph: graphOf(layers, 'x/sum') };
}

/** Channels multiplied by, or added to, what their pooled values say, as in squeeze and excitation. */
function excite(kind: string): LayerCase {
  const layers = startOf(image);
  addLayer(layers, { path: 'x/conv', kind: 'Conv2D', config: { ...conv, padding: 'same' }, inputs: ['x/input'] });
  const pooling = { path: 'x/pooled', kind: 'GlobalAveragePooling2D', config: { keepdims: true } };
  addLayer(layers, { ...pooling, inputs: ['x/conv'] });
  addLayer(layers, { path: 'x/excited', kind, config: {}, inputs: ['x/conv', 'x/pooled'] });
  return { name: `${kind} of an image and a pixel`, kinds: [kind], graph: graphOf(layers, 'x/excited') };
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
/** Brings the input beyond every kink and ceiling of the activations. */
const wide: Step = ['Rescaling', { scale: 9 }];

const sliding: readonly LayerCase[] = ['same', 'valid'].flatMap((padding) =>
  [1, 2].flatMap((stride) => {
    const strides = [stride, stride];
    const name = `3x3 ${padding}, stride ${stride}`;
    const separable = { ...conv, padding, strides, depth_multiplier: 2, activation: 'relu' };
    return [
      chain(`Conv2D ${name}`, [['Conv2D', { ...conv, padding, strides }]]),
      chain(`DepthwiseConv2D ${name}`, [['DepthwiseConv2D', { kernel_size: [3, 3], padding, strides }]]),
      chain(`MaxPooling2D ${name}`, [['MaxPooling2D', { pool_size: [3, 3], padding, strides }]]),
      chain(`AveragePooling2D ${name}`, [['AveragePooling2D', { pool_size: [3, 3], padding, strides }]]),
      chain(`SeparableConv2D ${name}`, [['SeparableConv2D', separable]]),
    ];
  }),
);

const convolutions: readonly LayerCase[] = [
  chain('Conv2D 1x1', [['Conv2D', { filters: 5, kernel_size: [1, 1], activation: 'relu' }]]),
  chain('Conv2D 1x1, stride 2, without bias', [
    ['Conv2D', { filters: 5, kernel_size: [1, 1], strides: [2, 2], use_bias: false }],
  ]),
  chain('Conv2D 1x5 and 5x1', [
    ['Conv2D', { filters: 4, kernel_size: [1, 5], padding: 'same' }],
    ['Conv2D', { filters: 4, kernel_size: [5, 1], padding: 'same' }],
  ]),
  chain('Conv2D 4x2 same, strides 2 x 1', [
    ['Conv2D', { filters: 4, kernel_size: [4, 2], padding: 'same', strides: [2, 1] }],
  ]),
  chain('Conv2D after a softmax over channels', [
    ['Conv2D', { ...conv, activation: 'softmax' }],
    ['Conv2D', conv],
  ]),
  chain('DepthwiseConv2D with multiplier 2', [
    wide,
    ['DepthwiseConv2D', { kernel_size: [3, 3], depth_multiplier: 2, activation: 'relu6' }],
  ]),
  chain('SeparableConv2D without bias, normalised', [
    ['SeparableConv2D', { ...conv, use_bias: false }],
    ['BatchNormalization'],
  ]),
  chain('Dense', [['Flatten'], ['Dense', { units: 6, activation: 'relu' }]]),
  chain('Dense without bias', [['Flatten'], ['Dense', { units: 6, use_bias: false }]]),
];

const normalizations: readonly LayerCase[] = [
  chain('Conv2D, folded BatchNormalization, ReLU6', [
    wide,
    ['Conv2D', { ...conv, use_bias: false }],
    ['BatchNormalization', { epsilon: 1e-3 }],
    ['ReLU', { max_value: 6 }],
  ]),
  chain('Conv2D with ReLU, then BatchNormalization', [
    ['Conv2D', { ...conv, activation: 'relu' }],
    ['BatchNormalization'],
  ]),
  chain('DepthwiseConv2D with multiplier 2, folded BatchNormalization', [
    ['DepthwiseConv2D', { kernel_size: [3, 3], depth_multiplier: 2 }],
    ['BatchNormalization', { epsilon: 1e-3 }],
  ]),
  chain('Dense, folded BatchNormalization', [['Flatten'], ['Dense', { units: 6 }], ['BatchNormalization']]),
  chain('Dense, folded BatchNormalization without scale and centre', [
    ['Flatten'],
    ['Dense', { units: 6 }],
    ['BatchNormalization', { scale: false, center: false }],
  ]),
  sharedConvolution(),
  chain('BatchNormalization alone', [['BatchNormalization', { epsilon: 1e-3 }], ['ReLU']]),
  chain('BatchNormalization of a vector', [['Flatten'], ['BatchNormalization', { axis: [1], epsilon: 1e-2 }]]),
  chain('BatchNormalization without scale', [['BatchNormalization', { scale: false }]]),
  chain('BatchNormalization without centre', [['BatchNormalization', { center: false }]]),
];

const pointwise: readonly LayerCase[] = [
  ...activations.map((activation) => chain(`Activation ${activation}`, [wide, ['Activation', { activation }]])),
  chain('ReLU', [['ReLU']]),
  chain('ReLU with ceiling 6', [wide, ['ReLU', { max_value: 6 }]]),
  chain('ReLU with ceiling 1', [wide, ['ReLU', { max_value: 1 }]]),
  chain('ReLU with slope', [wide, ['ReLU', { negative_slope: 0.2 }]]),
  chain('ReLU with threshold', [wide, ['ReLU', { threshold: 0.5 }]]),
  chain('ReLU with slope, threshold and ceiling', [
    wide,
    ['ReLU', { negative_slope: 0.2, threshold: 0.5, max_value: 1.5 }],
  ]),
  chain('LeakyReLU', [['LeakyReLU']]),
  chain('LeakyReLU, alpha', [['LeakyReLU', { alpha: 0.1 }]]),
  chain('LeakyReLU, negative_slope', [['LeakyReLU', { negative_slope: 0.2 }]]),
  chain('Softmax', [['Flatten'], ['Softmax']]),
  chain('Rescaling', [['Rescaling', { scale: 2, offset: -1 }]]),
  chain('Rescaling by channel', [['Rescaling', { scale: [2, 0.5, -1], offset: [0, 1, 3] }]]),
  chain('Normalization', [['Normalization', { axis: 3 }]]),
  chain('Normalization with its own mean and variance', [
    ['Normalization', { axis: [-1], mean: [0.1, 0.2, -0.3], variance: [0.5, 1, 0.25] }],
  ]),
  chain('Normalization of no variance', [['Normalization', { mean: 0.25, variance: 0 }]]),
  chain('Normalization after a convolution', [['Conv2D', conv], ['Normalization']]),
  chain('Dropout', [['Dropout', { rate: 0.4 }]]),
  chain('Dropout of whole samples', [['Dropout', { rate: 0.4, noise_shape: [null, 1, 1, 1] }]]),
  chain('Dropout of whole channels', [['Dropout', { rate: 0.4, noise_shape: [null, 1, 1, null] }]]),
];

const shapes: readonly LayerCase[] = [
  chain('ZeroPadding2D', [['ZeroPadding2D', { padding: [[0, 1], [2, 1]] }]]), // biome-ignore format: two pairs
  chain('MaxPooling2D by default', [['MaxPooling2D']]),
  chain('AveragePooling2D 2x3 same, strides 2 x 1', [
    ['AveragePooling2D', { pool_size: [2, 3], strides: [2, 1], padding: 'same' }],
  ]),
  chain('GlobalAveragePooling2D', [['GlobalAveragePooling2D']]),
  chain('GlobalAveragePooling2D keeping dimensions', [['GlobalAveragePooling2D', { keepdims: true }]]),
  chain('GlobalMaxPooling2D', [['GlobalMaxPooling2D']]),
  chain('GlobalMaxPooling2D keeping dimensions', [['GlobalMaxPooling2D', { keepdims: true }]]),
  chain('Flatten', [['Flatten']]),
  chain('Reshape', [['Reshape', { target_shape: [21, -1] }]]),
  join('Add', [4, 4, 4]),
  join('Multiply'),
  excite('Add'),
  excite('Multiply'),
  join('Concatenate', [4, 2, 3], { axis: 3 }),
];

export const layerCases: readonly LayerCase[] = [
  ...sliding,
  ...convolutions,
  ...normalizations,
  ...pointwise,
  ...shapes,
];

/** Normalisations whose statistics move: gradients pass through the moments. */
export const batchCases: readonly LayerCase[] = [
  chain('Conv2D, BatchNormalization by its batch', [
    ['Conv2D', { ...conv, use_bias: false }],
    ['BatchNormalization', { epsilon: 1e-3 }],
    ['ReLU'],
  ]),
  chain('BatchNormalization of a vector by its batch', [['Flatten'], ['BatchNormalization', { scale: false }]]),
].map((layerCase) => ({ ...layerCase, byBatch: true }));

/** Settings that run frozen and have no gradient: a stage that would train through them is refused. */
export const frozenCases: readonly LayerCase[] = [
  chain('Conv2D, dilation 2', [['Conv2D', { ...conv, dilation_rate: [2, 2], padding: 'same' }]]),
  chain('DepthwiseConv2D, dilation 2', [
    ['DepthwiseConv2D', { kernel_size: [3, 3], dilation_rate: 2, padding: 'same' }],
  ]),
  chain('SeparableConv2D, dilation 2', [['SeparableConv2D', { ...conv, dilation_rate: [2, 2] }]]),
];
