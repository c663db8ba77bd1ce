// ResNet50 (He et al., 2015), as in keras.applications.resnet: the stride of a block is in its first 1x1 convolution and in
// its shortcut, convolutions have biases, epsilon is 1.001e-5. `torch` builds what torchvision calls resnet50: the stride
// is in the 3x3 convolution, which pads by one on every side, nothing has a bias, epsilon is 1e-5. Names are the same.

import type { Graph } from '../graph.ts';
import { type BuildOptions, type Network, network } from './network.ts';

interface Layout {
  readonly epsilon: number;
  readonly momentum: number;
  readonly bias: boolean;
  readonly strideIn3x3: boolean;
}

const keras: Layout = { epsilon: 1.001e-5, momentum: 0.99, bias: true, strideIn3x3: false };
const torch: Layout = { epsilon: 1e-5, momentum: 0.9, bias: false, strideIn3x3: true };

export function resnet50(options: BuildOptions): Graph {
  return build(options, keras);
}

export function torchResnet50(options: BuildOptions): Graph {
  return build(options, torch);
}

function build(options: BuildOptions, layout: Layout): Graph {
  const net = network(options);
  let x = net.add('ZeroPadding2D', net.input, { padding: [[3, 3], [3, 3]], name: 'conv1_pad' }); // biome-ignore format: one pair an axis
  x = net.add('Conv2D', x, { filters: 64, kernel_size: [7, 7], strides: [2, 2], ...bias(layout), name: 'conv1_conv' });
  x = net.add('BatchNormalization', x, { ...normalization(layout), name: 'conv1_bn' });
  x = net.add('Activation', x, { activation: 'relu', name: 'conv1_relu' });
  // Nothing is below 0 here, so zeros are as good as torch's minus infinity.
  x = net.add('ZeroPadding2D', x, { padding: [[1, 1], [1, 1]], name: 'pool1_pad' }); // biome-ignore format: one pair an axis
  x = net.add('MaxPooling2D', x, { pool_size: [3, 3], strides: [2, 2], name: 'pool1_pool' });
  x = stack(net, x, { filters: 64, blocks: 3, stride: 1, name: 'conv2', layout });
  x = stack(net, x, { filters: 128, blocks: 4, stride: 2, name: 'conv3', layout });
  x = stack(net, x, { filters: 256, blocks: 6, stride: 2, name: 'conv4', layout });
  x = stack(net, x, { filters: 512, blocks: 3, stride: 2, name: 'conv5', layout });
  if (options.classes !== undefined) {
    x = net.add('GlobalAveragePooling2D', x, { name: 'avg_pool' });
    x = net.add('Dense', x, { units: options.classes, activation: 'softmax', name: 'predictions' });
  }
  return net.graph(x);
}

/** The order of keys, too, is part of a network's digest. */
function convolution(layout: Layout, filters: number, size: number): object {
  return { kernel_size: [size, size], filters, ...bias(layout) };
}

function bias(layout: Layout): object {
  return layout.bias ? {} : { use_bias: false };
}

function normalization({ epsilon, momentum }: Layout): object {
  return { axis: 3, epsilon, ...(momentum !== keras.momentum && { momentum }) };
}

interface Stack {
  readonly filters: number;
  readonly blocks: number;
  /** Of its first block. */
  readonly stride: number;
  readonly name: string;
  readonly layout: Layout;
}

function stack(net: Network, input: string, { filters, blocks, stride, name, layout }: Stack): string {
  let x = residualBlock(net, input, { filters, stride, convolutionShortcut: true, name: `${name}_block1`, layout });
  for (let i = 2; i <= blocks; i++) {
    x = residualBlock(net, x, { filters, stride: 1, convolutionShortcut: false, name: `${name}_block${i}`, layout });
  }
  return x;
}

interface ResidualBlock {
  readonly filters: number;
  readonly stride: number;
  readonly convolutionShortcut: boolean;
  readonly name: string;
  readonly layout: Layout;
}

function residualBlock(net: Network, input: string, block: ResidualBlock): string {
  const { filters, stride, convolutionShortcut, name, layout } = block;
  const normalized = (x: string, step: number, settings: object): string => {
    const conv = net.add('Conv2D', x, { ...settings, name: `${name}_${step}_conv` });
    return net.add('BatchNormalization', conv, { ...normalization(layout), name: `${name}_${step}_bn` });
  };
  const relu = (x: string, step: string): string =>
    net.add('Activation', x, { activation: 'relu', name: `${name}_${step}` });
  const one = (count: number): object => convolution(layout, count, 1);
  const strides = [stride, stride];
  const shortcut = convolutionShortcut ? normalized(input, 0, { ...one(4 * filters), strides }) : input;
  let x = relu(normalized(input, 1, { ...one(filters), ...(!layout.strideIn3x3 && { strides }) }), '1_relu');
  const three = convolution(layout, filters, 3);
  if (layout.strideIn3x3) {
    x = net.add('ZeroPadding2D', x, { padding: [[1, 1], [1, 1]], name: `${name}_2_pad` }); // biome-ignore format: one pair an axis
    x = relu(normalized(x, 2, { ...three, strides }), '2_relu');
  } else {
    x = relu(normalized(x, 2, { ...three, padding: 'same' }), '2_relu');
  }
  x = normalized(x, 3, one(4 * filters));
  x = net.add('Add', [shortcut, x], { name: `${name}_add` });
  return relu(x, 'out');
}
