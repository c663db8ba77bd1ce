// A layer's class and config as Keras takes them: every setting that changes what is computed is written out, also where
// it is a default, because Keras 2 and 3 differ in some; nothing else of the source's config is passed on.

import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { Graph, Layer } from '@thaw/common/model/graph.ts';
import {
  activationOf,
  booleanOf,
  countOf,
  numberOf,
  paddingOf,
  pairOf,
  zeroPaddingOf,
} from '@thaw/common/model/layer-config.ts';

type Settings = Readonly<Record<string, unknown>>;
type SettingsOf = (layer: Layer) => Settings;

const dataFormat = { data_format: 'channels_last' };
const none: SettingsOf = () => ({});

const activation: SettingsOf = (layer) => ({ activation: activationOf(layer) });
const activationAndBias: SettingsOf = (layer) => ({
  ...activation(layer),
  use_bias: booleanOf(layer, 'use_bias', true),
});

const convolution: SettingsOf = (layer) => ({
  kernel_size: pairOf(layer, 'kernel_size'),
  strides: pairOf(layer, 'strides', [1, 1]),
  padding: paddingOf(layer),
  dilation_rate: pairOf(layer, 'dilation_rate', [1, 1]),
  ...dataFormat,
  ...activationAndBias(layer),
});
const filters: SettingsOf = (layer) => ({ filters: countOf(layer, 'filters') });
const multiplier: SettingsOf = (layer) => ({ depth_multiplier: countOf(layer, 'depth_multiplier', 1) });

const pooling: SettingsOf = (layer) => {
  const window = pairOf(layer, 'pool_size', [2, 2]);
  return { pool_size: window, strides: pairOf(layer, 'strides', window), padding: paddingOf(layer), ...dataFormat };
};
const globalPooling: SettingsOf = (layer) => ({ ...dataFormat, keepdims: booleanOf(layer, 'keepdims', false) });

const settingsOf: Readonly<Record<string, SettingsOf>> = {
  InputLayer: none,
  ZeroPadding2D: (layer) => ({ padding: zeroPaddingOf(layer), ...dataFormat }),
  Conv2D: (layer) => ({ ...filters(layer), ...convolution(layer) }),
  DepthwiseConv2D: (layer) => ({ ...multiplier(layer), ...convolution(layer) }),
  SeparableConv2D: (layer) => ({ ...filters(layer), ...multiplier(layer), ...convolution(layer) }),
  BatchNormalization: (layer) => ({
    axis: -1,
    momentum: numberOf(layer, 'momentum', 0.99),
    epsilon: numberOf(layer, 'epsilon', 1e-3),
    center: booleanOf(layer, 'center', true),
    scale: booleanOf(layer, 'scale', true),
  }),
  Normalization: ({ config }) => ({ axis: -1, mean: config.mean ?? null, variance: config.variance ?? null }),
  Dense: (layer) => ({ units: countOf(layer, 'units'), ...activationAndBias(layer) }),
  ReLU: (layer) => ({
    max_value: layer.config.max_value ?? null,
    negative_slope: numberOf(layer, 'negative_slope', 0),
    threshold: numberOf(layer, 'threshold', 0),
  }),
  LeakyReLU: (layer) => ({ alpha: numberOf(layer, 'alpha', numberOf(layer, 'negative_slope', 0.3)) }),
  Softmax: () => ({ axis: -1 }),
  Activation: activation,
  Rescaling: ({ config }) => ({ scale: config.scale, offset: config.offset ?? 0 }),
  Dropout: ({ config }) => ({ rate: config.rate, noise_shape: config.noise_shape ?? null, seed: null }),
  Add: none,
  Multiply: none,
  Concatenate: () => ({ axis: -1 }),
  MaxPooling2D: pooling,
  AveragePooling2D: pooling,
  GlobalAveragePooling2D: globalPooling,
  GlobalMaxPooling2D: globalPooling,
  Flatten: () => dataFormat,
  Reshape: ({ config }) => ({ target_shape: config.target_shape }),
};

/** Kinds whose inputs are one argument, a list. */
const merges = new Set(['Add', 'Multiply', 'Concatenate']);

export function takesList({ kind }: Layer): boolean {
  return merges.has(kind);
}

/** Without name and dtype. */
export function stockSettings(layer: Layer): Settings {
  const settings = settingsOf[layer.kind];
  if (settings) return settings(layer);
  throw new ThawError('NotSupported', `${layer.path}: found a ${layer.kind}; expected a layer that Keras has`);
}

/** Throws NotSupported, naming the field: what Keras would compute otherwise than Thaw is not exported to it. */
export function requireKerasExport(graph: Graph, formats: readonly string[]): void {
  const format = formats.find((wanted) => wanted === 'h5' || wanted === 'keras');
  const layer = graph.layers.find(({ config }) => config.activation === 'hard_sigmoid');
  if (!format || !layer) return;
  throw new ThawError(
    'NotSupported',
    `spec.output.formats: found ${format} for a model whose layer ${layer.path} has the activation hard_sigmoid, which is ` +
      'another function in Keras 3; expected tfjs or safetensors',
  );
}
