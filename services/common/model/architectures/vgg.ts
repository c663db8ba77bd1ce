// VGG16 and VGG19 (Simonyan and Zisserman, 2014), as in keras.applications.vgg16 and vgg19.

import type { Graph } from '../graph.ts';
import { type BuildOptions, network } from './network.ts';

export const vgg16 = (options: BuildOptions): Graph => vgg([2, 2, 3, 3, 3], options);
export const vgg19 = (options: BuildOptions): Graph => vgg([2, 2, 4, 4, 4], options);

const filters = [64, 128, 256, 512, 512];

/** `convolutions`: how many each of the five blocks has. */
function vgg(convolutions: readonly number[], options: BuildOptions): Graph {
  const net = network(options);
  let x = net.input;
  for (const [index, count] of convolutions.entries()) {
    const block = `block${index + 1}`;
    for (let i = 1; i <= count; i++) {
      const conv = { filters: filters[index], kernel_size: [3, 3], padding: 'same', activation: 'relu' };
      x = net.add('Conv2D', x, { ...conv, name: `${block}_conv${i}` });
    }
    x = net.add('MaxPooling2D', x, { pool_size: [2, 2], strides: [2, 2], name: `${block}_pool` });
  }
  if (options.classes !== undefined) {
    x = net.add('Flatten', x, { name: 'flatten' });
    x = net.add('Dense', x, { units: 4096, activation: 'relu', name: 'fc1' });
    x = net.add('Dense', x, { units: 4096, activation: 'relu', name: 'fc2' });
    x = net.add('Dense', x, { units: options.classes, activation: 'softmax', name: 'predictions' });
  }
  return net.graph(x);
}
