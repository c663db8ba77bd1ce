// MobileNetV2 at width 1.0 (Sandler et al., 2018), as in keras.applications.mobilenet_v2. Momentum decides nothing in
// inference and is kept for whoever trains the normalisations.

import type { Graph } from '../graph.ts';
import { type BuildOptions, correctPad, type Network, network } from './network.ts';

const normalization = { axis: -1, epsilon: 1e-3, momentum: 0.999 };
const relu6 = { max_value: 6, negative_slope: 0, threshold: 0 };
const pointwise = { kernel_size: [1, 1], use_bias: false };

/** [filters, stride] of the blocks, from block 0. */
const blocks: readonly (readonly [filters: number, stride: number])[] = [
  [16, 1],
  ...[2, 1].map((stride) => [24, stride] as const),
  ...[2, 1, 1].map((stride) => [32, stride] as const),
  ...[2, 1, 1, 1].map((stride) => [64, stride] as const),
  ...[1, 1, 1].map((stride) => [96, stride] as const),
  ...[2, 1, 1].map((stride) => [160, stride] as const),
  [320, 1],
];

export function mobilenetV2(options: BuildOptions): Graph {
  const net = network(options);
  const stem = { filters: 32, kernel_size: [3, 3], strides: [2, 2], padding: 'same', use_bias: false };
  let x = net.add('Conv2D', net.input, { ...stem, name: 'Conv1' });
  x = net.add('BatchNormalization', x, { ...normalization, name: 'bn_Conv1' });
  x = net.add('ReLU', x, { ...relu6, name: 'Conv1_relu' });
  for (const [index, [filters, stride]] of blocks.entries()) x = invertedResidual(net, x, { index, filters, stride });
  x = net.add('Conv2D', x, { ...pointwise, filters: 1280, name: 'Conv_1' });
  x = net.add('BatchNormalization', x, { ...normalization, name: 'Conv_1_bn' });
  x = net.add('ReLU', x, { ...relu6, name: 'out_relu' });
  if (options.classes !== undefined) {
    x = net.add('GlobalAveragePooling2D', x);
    x = net.add('Dense', x, { units: options.classes, activation: 'softmax', name: 'predictions' });
  }
  return net.graph(x);
}

interface InvertedResidual {
  readonly index: number;
  readonly filters: number;
  readonly stride: number;
}

function invertedResidual(net: Network, input: string, { index, filters, stride }: InvertedResidual): string {
  const channels = net.shapeOf(input).at(-1) as number;
  const prefix = index === 0 ? 'expanded_conv' : `block_${index}`;
  const normalized = (x: string, part: string): string =>
    net.add('BatchNormalization', x, { ...normalization, name: `${prefix}_${part}_BN` });
  const relu = (x: string, part: string): string => net.add('ReLU', x, { ...relu6, name: `${prefix}_${part}_relu` });
  let x = input;
  if (index > 0) {
    x = net.add('Conv2D', x, { ...pointwise, padding: 'same', filters: 6 * channels, name: `${prefix}_expand` });
    x = relu(normalized(x, 'expand'), 'expand');
  }
  if (stride === 2) x = net.add('ZeroPadding2D', x, { padding: correctPad(net.shapeOf(x), 3), name: `${prefix}_pad` });
  const depthwise = { kernel_size: [3, 3], strides: [stride, stride], use_bias: false };
  const padding = stride === 1 ? 'same' : 'valid';
  x = net.add('DepthwiseConv2D', x, { ...depthwise, padding, name: `${prefix}_depthwise` });
  x = relu(normalized(x, 'depthwise'), 'depthwise');
  x = net.add('Conv2D', x, { ...pointwise, padding: 'same', filters, name: `${prefix}_project` });
  x = normalized(x, 'project');
  return channels === filters && stride === 1 ? net.add('Add', [input, x], { name: `${prefix}_add` }) : x;
}
