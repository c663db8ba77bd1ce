// EfficientNetB0 (Tan and Le, 2019), as in keras.applications.efficientnet. It takes bytes 0..255 and scales them itself.
//
// The published ImageNet weights hold the standard deviation where Normalization wants the variance, so Keras puts one
// more Rescaling behind it, with those weights and no others. `published` says that it is to be there.

import type { Graph, Weights } from '../graph.ts';
import { type BuildOptions, correctPad, type Network, network } from './network.ts';

/** What the published weights hold as the variance of their input: ImageNet's standard deviation. */
const publishedVariance = [0.229, 0.224, 0.225] as const;

/** Whether these weights are the published ones, or were trained on from them. */
export function arePublished(weights: Weights): boolean {
  const found = weights.get('backbone/normalization/variance')?.data ?? [];
  return publishedVariance.every((value, channel) => Math.abs((found[channel] ?? 0) - value) < 1e-3);
}

const normalization = { axis: 3, epsilon: 1e-3 };
const kernel_initializer = {
  class_name: 'VarianceScaling',
  config: { scale: 2, mode: 'fan_out', distribution: 'truncated_normal' },
};
const convolution = { use_bias: false, kernel_initializer };

interface Stage {
  readonly kernelSize: number;
  readonly repeats: number;
  readonly filtersIn: number;
  readonly filtersOut: number;
  readonly expandRatio: number;
  readonly stride: number;
}

/** DEFAULT_BLOCKS_ARGS, which B0 takes as they are. */
const stages: readonly Stage[] = [
  { kernelSize: 3, repeats: 1, filtersIn: 32, filtersOut: 16, expandRatio: 1, stride: 1 },
  { kernelSize: 3, repeats: 2, filtersIn: 16, filtersOut: 24, expandRatio: 6, stride: 2 },
  { kernelSize: 5, repeats: 2, filtersIn: 24, filtersOut: 40, expandRatio: 6, stride: 2 },
  { kernelSize: 3, repeats: 3, filtersIn: 40, filtersOut: 80, expandRatio: 6, stride: 2 },
  { kernelSize: 5, repeats: 3, filtersIn: 80, filtersOut: 112, expandRatio: 6, stride: 1 },
  { kernelSize: 5, repeats: 4, filtersIn: 112, filtersOut: 192, expandRatio: 6, stride: 2 },
  { kernelSize: 3, repeats: 1, filtersIn: 192, filtersOut: 320, expandRatio: 6, stride: 1 },
];
const dropConnectRate = 0.2;
const squeezeRatio = 0.25;

export function efficientnetB0(options: BuildOptions & { readonly published?: boolean }): Graph {
  const net = network(options);
  let x = net.add('Rescaling', net.input, { scale: 1 / 255, offset: 0 });
  x = net.add('Normalization', x, { axis: 3 });
  if (options.published) {
    x = net.add('Rescaling', x, { scale: publishedVariance.map((value) => 1 / Math.sqrt(value)), offset: 0 });
  }
  x = net.add('ZeroPadding2D', x, { padding: correctPad(net.shapeOf(x), 3), name: 'stem_conv_pad' });
  x = net.add('Conv2D', x, { ...convolution, filters: 32, kernel_size: [3, 3], strides: [2, 2], name: 'stem_conv' });
  x = net.add('BatchNormalization', x, { ...normalization, name: 'stem_bn' });
  x = net.add('Activation', x, { activation: 'swish', name: 'stem_activation' });
  const blocks = stages.flatMap((stage, i) =>
    Array.from({ length: stage.repeats }, (_, j) => ({
      ...stage,
      ...(j > 0 && { stride: 1, filtersIn: stage.filtersOut }),
      name: `block${i + 1}${String.fromCharCode(97 + j)}`,
    })),
  );
  for (const [index, block] of blocks.entries()) {
    x = invertedResidual(net, x, { ...block, dropRate: (dropConnectRate * index) / blocks.length });
  }
  x = net.add('Conv2D', x, { ...convolution, filters: 1280, kernel_size: [1, 1], padding: 'same', name: 'top_conv' });
  x = net.add('BatchNormalization', x, { ...normalization, name: 'top_bn' });
  x = net.add('Activation', x, { activation: 'swish', name: 'top_activation' });
  if (options.classes !== undefined) {
    x = net.add('GlobalAveragePooling2D', x, { name: 'avg_pool' });
    x = net.add('Dropout', x, { rate: 0.2, name: 'top_dropout' });
    x = net.add('Dense', x, { units: options.classes, activation: 'softmax', name: 'predictions' });
  }
  return net.graph(x);
}

interface InvertedResidual extends Stage {
  readonly name: string;
  readonly dropRate: number;
}

function invertedResidual(net: Network, input: string, block: InvertedResidual): string {
  const { kernelSize, filtersIn, filtersOut, expandRatio, stride, name, dropRate } = block;
  const filters = filtersIn * expandRatio;
  const add = (kind: string, inputs: string | string[], part: string, settings: object = {}): string =>
    net.add(kind, inputs, { ...settings, name: `${name}_${part}` });
  const normalized = (x: string, part: string): string => add('BatchNormalization', x, part, normalization);
  const swish = (x: string, part: string): string => add('Activation', x, part, { activation: 'swish' });
  const pointwise = { kernel_size: [1, 1], padding: 'same', kernel_initializer };

  let x = input;
  if (expandRatio !== 1) {
    x = add('Conv2D', x, 'expand_conv', { ...pointwise, filters, use_bias: false });
    x = swish(normalized(x, 'expand_bn'), 'expand_activation');
  }
  if (stride === 2) x = add('ZeroPadding2D', x, 'dwconv_pad', { padding: correctPad(net.shapeOf(x), kernelSize) });
  x = add('DepthwiseConv2D', x, 'dwconv', {
    kernel_size: [kernelSize, kernelSize],
    strides: [stride, stride],
    padding: stride === 2 ? 'valid' : 'same',
    use_bias: false,
    depthwise_initializer: kernel_initializer,
  });
  x = swish(normalized(x, 'bn'), 'activation');

  let squeezed = add('GlobalAveragePooling2D', x, 'se_squeeze');
  squeezed = add('Reshape', squeezed, 'se_reshape', { target_shape: [1, 1, filters] });
  const squeezedFilters = Math.max(1, Math.floor(filtersIn * squeezeRatio));
  squeezed = add('Conv2D', squeezed, 'se_reduce', { ...pointwise, filters: squeezedFilters, activation: 'swish' });
  squeezed = add('Conv2D', squeezed, 'se_expand', { ...pointwise, filters, activation: 'sigmoid' });
  x = add('Multiply', [x, squeezed], 'se_excite');

  x = add('Conv2D', x, 'project_conv', { ...pointwise, filters: filtersOut, use_bias: false });
  x = normalized(x, 'project_bn');
  if (stride !== 1 || filtersIn !== filtersOut) return x;
  if (dropRate > 0) x = add('Dropout', x, 'drop', { rate: dropRate, noise_shape: [null, 1, 1, 1] });
  return add('Add', [x, input], 'add');
}
