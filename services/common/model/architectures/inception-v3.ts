// InceptionV3 (Szegedy et al., 2015), as in keras.applications.inception_v3. Only the joins have names of their own; the
// other layers are counted in the order of these lines, as a fresh Keras session does: conv2d, conv2d_1, … Published files
// count from 1 and other sessions from elsewhere; in all of them the numbers rise in this order, so that matchLayers()
// gives the n-th of a file to the n-th here. Normalisations have no scale, convolutions no bias.

import type { Graph } from '../graph.ts';
import { type BuildOptions, type Network, network } from './network.ts';

export function inceptionV3(options: BuildOptions): Graph {
  const net = network(options);
  let x = convolve(net, net.input, [32, 3, 3, 2]);
  x = convolve(net, x, [32, 3, 3, 'valid']);
  x = convolve(net, x, [64, 3, 3]);
  x = maxPool(net, x);
  x = convolve(net, x, [80, 1, 1, 'valid']);
  x = convolve(net, x, [192, 3, 3, 'valid']);
  x = maxPool(net, x);
  for (const [i, pooled] of [32, 64, 64].entries()) x = mixed5x5(net, x, { pooled, name: `mixed${i}` });
  x = mixed3(net, x);
  for (const [i, inner] of [128, 160, 160, 192].entries()) x = mixed7x7(net, x, { inner, name: `mixed${4 + i}` });
  x = mixed8(net, x);
  for (const index of [0, 1]) x = mixedSplit(net, x, index);
  if (options.classes !== undefined) {
    x = net.add('GlobalAveragePooling2D', x, { name: 'avg_pool' });
    x = net.add('Dense', x, { units: options.classes, activation: 'softmax', name: 'predictions' });
  }
  return net.graph(x);
}

/** Stride 2 goes with `valid`, as everywhere in this network. */
type Convolution = readonly [filters: number, rows: number, columns: number, how?: 'valid' | 2];

/** conv2d_bn, once for each of the convolutions, one behind the other. */
function convolve(net: Network, input: string, ...convolutions: readonly Convolution[]): string {
  let x = input;
  for (const [filters, rows, columns, how] of convolutions) {
    const stride = how === 2 ? 2 : 1;
    const padding = how === undefined ? 'same' : 'valid';
    const shape = { kernel_size: [rows, columns], strides: [stride, stride], padding };
    x = net.add('Conv2D', x, { filters, ...shape, use_bias: false });
    x = net.add('BatchNormalization', x, { axis: 3, scale: false, epsilon: 1e-3 });
    x = net.add('Activation', x, { activation: 'relu' });
  }
  return x;
}

function maxPool(net: Network, x: string): string {
  return net.add('MaxPooling2D', x, { pool_size: [3, 3], strides: [2, 2] });
}

function averagePool(net: Network, x: string): string {
  return net.add('AveragePooling2D', x, { pool_size: [3, 3], strides: [1, 1], padding: 'same' });
}

function join(net: Network, branches: readonly string[], name?: string): string {
  return net.add('Concatenate', branches, { axis: 3, ...(name !== undefined && { name }) });
}

/** mixed 0 to 2: 35 x 35. */
function mixed5x5(net: Network, x: string, { pooled, name }: { pooled: number; name: string }): string {
  const branch1x1 = convolve(net, x, [64, 1, 1]);
  const branch5x5 = convolve(net, x, [48, 1, 1], [64, 5, 5]);
  const branch3x3 = convolve(net, x, [64, 1, 1], [96, 3, 3], [96, 3, 3]);
  const branchPool = convolve(net, averagePool(net, x), [pooled, 1, 1]);
  return join(net, [branch1x1, branch5x5, branch3x3, branchPool], name);
}

/** To 17 x 17. */
function mixed3(net: Network, x: string): string {
  const branch3x3 = convolve(net, x, [384, 3, 3, 2]);
  const branchTwice = convolve(net, x, [64, 1, 1], [96, 3, 3], [96, 3, 3, 2]);
  return join(net, [branch3x3, branchTwice, maxPool(net, x)], 'mixed3');
}

/** mixed 4 to 7: 17 x 17. */
function mixed7x7(net: Network, x: string, { inner, name }: { inner: number; name: string }): string {
  const branch1x1 = convolve(net, x, [192, 1, 1]);
  const branch7x7 = convolve(net, x, [inner, 1, 1], [inner, 1, 7], [192, 7, 1]);
  const branchTwice = convolve(net, x, [inner, 1, 1], [inner, 7, 1], [inner, 1, 7], [inner, 7, 1], [192, 1, 7]);
  const branchPool = convolve(net, averagePool(net, x), [192, 1, 1]);
  return join(net, [branch1x1, branch7x7, branchTwice, branchPool], name);
}

/** To 8 x 8. */
function mixed8(net: Network, x: string): string {
  const branch3x3 = convolve(net, x, [192, 1, 1], [320, 3, 3, 2]);
  const branch7x7 = convolve(net, x, [192, 1, 1], [192, 1, 7], [192, 7, 1], [192, 3, 3, 2]);
  return join(net, [branch3x3, branch7x7, maxPool(net, x)], 'mixed8');
}

/** mixed 9 and 10: 8 x 8, with branches that part once more. */
function mixedSplit(net: Network, x: string, index: number): string {
  const branch1x1 = convolve(net, x, [320, 1, 1]);
  const parted = (from: string): string[] => [convolve(net, from, [384, 1, 3]), convolve(net, from, [384, 3, 1])];
  const branch3x3 = join(net, parted(convolve(net, x, [384, 1, 1])), `mixed9_${index}`);
  const branchTwice = join(net, parted(convolve(net, x, [448, 1, 1], [384, 3, 3])));
  const branchPool = convolve(net, averagePool(net, x), [192, 1, 1]);
  return join(net, [branch1x1, branch3x3, branchTwice, branchPool], `mixed${9 + index}`);
}
