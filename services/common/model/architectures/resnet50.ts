// ResNet50 (He et al., 2015), as in keras.applications.resnet: the stride of a block is in its first 1x1 convolution
// and in its shortcut (torchvision has it in the 3x3 one), convolutions have biases, epsilon is 1.001e-5.

import type { Graph } from '../graph.ts';
import { type BuildOptions, type Network, network } from './network.ts';

const epsilon = 1.001e-5;

export function resnet50(options: BuildOptions): Graph {
  const net = network(options);
  let x = net.add('ZeroPadding2D', net.input, { padding: [[3, 3], [3, 3]], name: 'conv1_pad' }); // biome-ignore format: one pair an axis
  x = net.add('Conv2D', x, { filters: 64, kernel_size: [7, 7], strides: [2, 2], name: 'conv1_conv' });
  x = net.add('BatchNormalization', x, { axis: 3, epsilon, name: 'conv1_bn' });
  x = net.add('Activation', x, { activation: 'relu', name: 'conv1_relu' });
  x = net.add('ZeroPadding2D', x, { padding: [[1, 1], [1, 1]], name: 'pool1_pad' }); // biome-ignore format: one pair an axis
  x = net.add('MaxPooling2D', x, { pool_size: [3, 3], strides: [2, 2], name: 'pool1_pool' });
  x = stack(net, x, { filters: 64, blocks: 3, stride: 1, name: 'conv2' });
  x = stack(net, x, { filters: 128, blocks: 4, stride: 2, name: 'conv3' });
  x = stack(net, x, { filters: 256, blocks: 6, stride: 2, name: 'conv4' });
  x = stack(net, x, { filters: 512, blocks: 3, stride: 2, name: 'conv5' });
  if (options.classes !== undefined) {
    x = net.add('GlobalAveragePooling2D', x, { name: 'avg_pool' });
    x = net.add('Dense', x, { units: options.classes, activation: 'softmax', name: 'predictions' });
  }
  return net.graph(x);
}

interface Stack {
  readonly filters: number;
  readonly blocks: number;
  /** Of its first block. */
  readonly stride: number;
  readonly name: string;
}

function stack(net: Network, input: string, { filters, blocks, stride, name }: Stack): string {
  let x = residualBlock(net, input, { filters, stride, convolutionShortcut: true, name: `${name}_block1` });
  for (let i = 2; i <= blocks; i++) {
    x = residualBlock(net, x, { filters, stride: 1, convolutionShortcut: false, name: `${name}_block${i}` });
  }
  return x;
}

interface ResidualBlock {
  readonly filters: number;
  readonly stride: number;
  readonly convolutionShortcut: boolean;
  readonly name: string;
}

function residualBlock(net: Network, input: string, block: ResidualBlock): string {
  const { filters, stride, convolutionShortcut, name } = block;
  const convolution = (x: string, step: number, settings: object): string => {
    const conv = net.add('Conv2D', x, { kernel_size: [1, 1], ...settings, name: `${name}_${step}_conv` });
    return net.add('BatchNormalization', conv, { axis: 3, epsilon, name: `${name}_${step}_bn` });
  };
  const relu = (x: string, step: string): string =>
    net.add('Activation', x, { activation: 'relu', name: `${name}_${step}` });
  const strides = [stride, stride];
  const shortcut = convolutionShortcut ? convolution(input, 0, { filters: 4 * filters, strides }) : input;
  let x = relu(convolution(input, 1, { filters, strides }), '1_relu');
  x = relu(convolution(x, 2, { filters, kernel_size: [3, 3], padding: 'same' }), '2_relu');
  x = convolution(x, 3, { filters: 4 * filters });
  x = net.add('Add', [shortcut, x], { name: `${name}_add` });
  return relu(x, 'out');
}
