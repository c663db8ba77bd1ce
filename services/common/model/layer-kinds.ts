// The closed list of layer kinds that Thaw reads, trains and writes: what weights a layer has and what shape comes out.
// Shapes are of one sample, without the batch axis. Knows no TensorFlow; the trainer's executor has one entry per kind.

import { ThawError } from '../errors/thaw-error.ts';
import type { WeightRole } from './graph.ts';
import {
  activationOf,
  badConfig,
  booleanOf,
  type ConfiguredLayer,
  countOf,
  numberOf,
  numbersOf,
  paddingOf,
  pairOf,
  requireChannelsLast,
  slidingLength,
  zeroPaddingOf,
} from './layer-config.ts';

export type Shape = readonly number[];

export interface WeightOfKind {
  /** Last part of the weight's name, as Keras calls it. */
  readonly name: string;
  readonly shape: Shape;
  readonly role: WeightRole;
}

export interface LayerKind {
  /** Checks the config against the input shapes and returns the output shape. */
  outputShape(layer: ConfiguredLayer, inputs: readonly Shape[]): Shape;
  weights(layer: ConfiguredLayer, inputs: readonly Shape[]): readonly WeightOfKind[];
  /** Draws randomness in training: never part of a cached prefix above a trainable layer. */
  readonly random?: boolean;
}

const noWeights = (): readonly WeightOfKind[] => [];

function onlyInput(layer: ConfiguredLayer, inputs: readonly Shape[]): Shape {
  const [input] = inputs;
  if (inputs.length === 1 && input) return input;
  throw new ThawError('ModelInvalid', `${layer.path} (${layer.kind}): found ${inputs.length} inputs; expected 1`);
}

function spatialInput(layer: ConfiguredLayer, inputs: readonly Shape[]): readonly [number, number, number] {
  requireChannelsLast(layer);
  const input = onlyInput(layer, inputs);
  if (input.length === 3) return [input[0] as number, input[1] as number, input[2] as number];
  throw new ThawError(
    'HeadMismatch',
    `${layer.path} (${layer.kind}): found an input of shape [${input}]; expected [height, width, channels]`,
  );
}

function slide(layer: ConfiguredLayer, inputs: readonly Shape[], windowKey: string): [number, number] {
  const [height, width] = spatialInput(layer, inputs);
  const window = pairOf(layer, windowKey, windowKey === 'pool_size' ? [2, 2] : undefined);
  const strides = pairOf(layer, 'strides', windowKey === 'pool_size' ? window : [1, 1]);
  const dilation = pairOf(layer, 'dilation_rate', [1, 1]);
  const padding = paddingOf(layer);
  const along = (axis: 0 | 1, size: number): number => {
    const extent = (window[axis] - 1) * dilation[axis] + 1;
    return slidingLength(size, extent, { stride: strides[axis], padding });
  };
  if (Math.max(...strides) > 1 && Math.max(...dilation) > 1) {
    throw badConfig(layer, 'dilation_rate', `1 beside strides ${strides.join(' x ')}`);
  }
  const output: [number, number] = [along(0, height), along(1, width)];
  if (output[0] > 0 && output[1] > 0) return output;
  throw new ThawError(
    'ModelInvalid',
    `${layer.path} (${layer.kind}): the input [${inputs[0]}] is smaller than its window; use a larger model.input.size`,
  );
}

function biasOf(layer: ConfiguredLayer, length: number): readonly WeightOfKind[] {
  return booleanOf(layer, 'use_bias', true) ? [{ name: 'bias', shape: [length], role: 'bias' }] : [];
}

function requireNoGroups(layer: ConfiguredLayer): void {
  if (numberOf(layer, 'groups', 1) !== 1) throw badConfig(layer, 'groups', '1');
}

/** TensorFlow's depthwise convolution has one stride for both axes. */
function requireEqualStrides(layer: ConfiguredLayer): void {
  const [vertical, horizontal] = pairOf(layer, 'strides', [1, 1]);
  if (vertical !== horizontal) throw badConfig(layer, 'strides', 'the same stride for height and width');
}

const conv2d: LayerKind = {
  outputShape(layer, inputs) {
    requireNoGroups(layer);
    activationOf(layer);
    return [...slide(layer, inputs, 'kernel_size'), countOf(layer, 'filters')];
  },
  weights(layer, inputs) {
    const [, , channels] = spatialInput(layer, inputs);
    const filters = countOf(layer, 'filters');
    const shape = [...pairOf(layer, 'kernel_size'), channels, filters];
    return [{ name: 'kernel', shape, role: 'kernel' }, ...biasOf(layer, filters)];
  },
};

const depthwiseConv2d: LayerKind = {
  outputShape(layer, inputs) {
    requireNoGroups(layer);
    requireEqualStrides(layer);
    activationOf(layer);
    const [, , channels] = spatialInput(layer, inputs);
    return [...slide(layer, inputs, 'kernel_size'), channels * countOf(layer, 'depth_multiplier', 1)];
  },
  weights(layer, inputs) {
    const [, , channels] = spatialInput(layer, inputs);
    const multiplier = countOf(layer, 'depth_multiplier', 1);
    const shape = [...pairOf(layer, 'kernel_size'), channels, multiplier];
    return [{ name: 'depthwise_kernel', shape, role: 'kernel' }, ...biasOf(layer, channels * multiplier)];
  },
};

const separableConv2d: LayerKind = {
  outputShape(layer, inputs) {
    requireEqualStrides(layer);
    return conv2d.outputShape(layer, inputs);
  },
  weights(layer, inputs) {
    const [, , channels] = spatialInput(layer, inputs);
    const multiplier = countOf(layer, 'depth_multiplier', 1);
    const filters = countOf(layer, 'filters');
    return [
      { name: 'depthwise_kernel', shape: [...pairOf(layer, 'kernel_size'), channels, multiplier], role: 'kernel' },
      { name: 'pointwise_kernel', shape: [1, 1, channels * multiplier, filters], role: 'kernel' },
      ...biasOf(layer, filters),
    ];
  },
};

function requireLastAxis(layer: ConfiguredLayer, input: Shape): void {
  const axis = layer.config.axis ?? -1;
  const last = Array.isArray(axis) && axis.length === 1 ? axis[0] : axis;
  if (last !== -1 && last !== input.length) throw badConfig(layer, 'axis', 'the last axis');
}

const batchNormalization: LayerKind = {
  outputShape(layer, inputs) {
    const input = onlyInput(layer, inputs);
    requireLastAxis(layer, input);
    return input;
  },
  weights(layer, inputs) {
    const shape = [onlyInput(layer, inputs).at(-1) as number];
    return [
      ...(booleanOf(layer, 'scale', true) ? [{ name: 'gamma', shape, role: 'gamma' } as const] : []),
      ...(booleanOf(layer, 'center', true) ? [{ name: 'beta', shape, role: 'beta' } as const] : []),
      { name: 'moving_mean', shape, role: 'movingMean' },
      { name: 'moving_variance', shape, role: 'movingVariance' },
    ];
  },
};

/** Keras also counts its samples (`count`), which nothing is computed from: it is no weight here. */
const normalization: LayerKind = {
  outputShape(layer, inputs) {
    const input = onlyInput(layer, inputs);
    requireLastAxis(layer, input);
    if (booleanOf(layer, 'invert', false)) throw badConfig(layer, 'invert', 'false');
    if (hasOwnStatistics(layer)) {
      for (const key of ['mean', 'variance']) numbersOf(layer, key, input.at(-1) as number);
    }
    return input;
  },
  weights(layer, inputs) {
    const shape = [onlyInput(layer, inputs).at(-1) as number];
    if (hasOwnStatistics(layer)) return [];
    return [
      { name: 'mean', shape, role: 'movingMean' },
      { name: 'variance', shape, role: 'movingVariance' },
    ];
  },
};

/** Whether the config holds mean and variance, so that they are no weights. */
export function hasOwnStatistics({ config }: ConfiguredLayer): boolean {
  return (config.mean ?? config.variance ?? null) !== null;
}

const dense: LayerKind = {
  outputShape(layer, inputs) {
    const input = onlyInput(layer, inputs);
    activationOf(layer);
    if (input.length === 1) return [countOf(layer, 'units')];
    throw new ThawError(
      'HeadMismatch',
      `${layer.path} (Dense): found an input of shape [${input}]; expected a vector. ` +
        'Put globalAveragePooling or flatten before it',
    );
  },
  weights(layer, inputs) {
    const units = countOf(layer, 'units');
    const shape = [onlyInput(layer, inputs).at(-1) as number, units];
    return [{ name: 'kernel', shape, role: 'kernel' }, ...biasOf(layer, units)];
  },
};

const pooling: LayerKind = {
  outputShape: (layer, inputs) => [...slide(layer, inputs, 'pool_size'), spatialInput(layer, inputs)[2]],
  weights: noWeights,
};

const globalPooling: LayerKind = {
  outputShape(layer, inputs) {
    const [, , channels] = spatialInput(layer, inputs);
    return booleanOf(layer, 'keepdims', false) ? [1, 1, channels] : [channels];
  },
  weights: noWeights,
};

/** A size of 1 is stretched to that of the other inputs. */
const elementwise: LayerKind = {
  outputShape(layer, inputs) {
    const [first] = inputs;
    const stretched = first?.map((_, axis) => Math.max(...inputs.map((shape) => shape[axis] as number)));
    const fits = (shape: Shape): boolean =>
      shape.length === first?.length && shape.every((size, axis) => size === 1 || size === stretched?.[axis]);
    if (stretched && inputs.length > 1 && inputs.every(fits)) return stretched;
    throw differentInputs(layer, inputs, 'equal shapes, or 1 in an axis');
  },
  weights: noWeights,
};

function differentInputs(layer: ConfiguredLayer, inputs: readonly Shape[], expected: string): ThawError {
  const found = inputs.map((shape) => `[${shape}]`).join(', ');
  return new ThawError('ModelInvalid', `${layer.path} (${layer.kind}): found inputs ${found}; expected ${expected}`);
}

const concatenate: LayerKind = {
  outputShape(layer, inputs) {
    const [first] = inputs;
    const axis = numberOf(layer, 'axis', -1);
    if (!first || (axis !== -1 && axis !== first.length)) throw badConfig(layer, 'axis', 'the last axis');
    const leading = (shape: Shape): string => shape.slice(0, -1).join();
    if (inputs.some((shape) => shape.length !== first.length || leading(shape) !== leading(first))) {
      throw differentInputs(layer, inputs, 'shapes that differ in the last axis only');
    }
    return [...first.slice(0, -1), inputs.reduce((sum, shape) => sum + (shape.at(-1) as number), 0)];
  },
  weights: noWeights,
};

const reshape: LayerKind = {
  outputShape(layer, inputs) {
    const total = onlyInput(layer, inputs).reduce((product, size) => product * size, 1);
    const target = layer.config.target_shape;
    if (!Array.isArray(target)) throw badConfig(layer, 'target_shape', 'a list of sizes');
    const sizes = target as number[];
    const known = sizes.filter((size) => size !== -1).reduce((product, size) => product * size, 1);
    const shape = sizes.map((size) => (size === -1 ? total / known : size));
    if (
      !shape.every((size) => Number.isInteger(size) && size >= 1) ||
      shape.reduce((product, size) => product * size, 1) !== total
    )
      throw badConfig(layer, 'target_shape', `${total} elements`);
    return shape;
  },
  weights: noWeights,
};

/** A kind without weights whose output is shaped like its input, once `check` has found its config to be promised. */
function checked(check: (layer: ConfiguredLayer, input: Shape) => void): LayerKind {
  return {
    outputShape(layer, inputs) {
      const input = onlyInput(layer, inputs);
      check(layer, input);
      return input;
    },
    weights: noWeights,
  };
}

function atLeastZero(layer: ConfiguredLayer, ...keys: readonly string[]): void {
  for (const key of keys) if (numberOf(layer, key, 0) < 0) throw badConfig(layer, key, 'a number of at least 0');
}

function checkDropout(layer: ConfiguredLayer, input: Shape): void {
  const rate = numberOf(layer, 'rate');
  if (rate < 0 || rate >= 1) throw badConfig(layer, 'rate', 'a number from 0 to below 1');
  noiseShapeOf(layer, input);
}

/** Shape of a dropout's mask for one sample. 1 in an axis drops along all of it; every sample has its own mask. */
export function noiseShapeOf(layer: ConfiguredLayer, input: Shape): Shape {
  const noise = layer.config.noise_shape ?? null;
  if (noise === null) return input;
  const [batch, ...sizes] = Array.isArray(noise) ? (noise as unknown[]) : [];
  const shape = input.map((size, axis) => (sizes[axis] === null ? size : sizes[axis]));
  const fits = sizes.length === input.length && shape.every((size, axis) => size === 1 || size === input[axis]);
  if (fits && batch === null) return shape as number[];
  throw badConfig(layer, 'noise_shape', `null, or [null, …] with 1 or the size for each of [${input}]`);
}

function checkRescaling(layer: ConfiguredLayer, input: Shape): void {
  const channels = input.at(-1) as number;
  numbersOf(layer, 'scale', channels);
  numbersOf(layer, 'offset', channels, 0);
}

export const layerKinds: Readonly<Record<string, LayerKind>> = {
  InputLayer: { outputShape: (layer) => inputShapeOf(layer), weights: noWeights },
  ZeroPadding2D: {
    outputShape(layer, inputs) {
      const [height, width, channels] = spatialInput(layer, inputs);
      const [[top, bottom], [left, right]] = zeroPaddingOf(layer);
      return [height + top + bottom, width + left + right, channels];
    },
    weights: noWeights,
  },
  Conv2D: conv2d,
  DepthwiseConv2D: depthwiseConv2d,
  SeparableConv2D: separableConv2d,
  BatchNormalization: batchNormalization,
  Normalization: normalization,
  Dense: dense,
  ReLU: checked((layer) => atLeastZero(layer, 'max_value', 'negative_slope', 'threshold')),
  LeakyReLU: checked((layer) => atLeastZero(layer, 'alpha', 'negative_slope')),
  Softmax: checked(requireLastAxis),
  Activation: checked(activationOf),
  Rescaling: checked(checkRescaling),
  Dropout: { ...checked(checkDropout), random: true },
  Add: elementwise,
  Multiply: elementwise,
  Concatenate: concatenate,
  MaxPooling2D: pooling,
  AveragePooling2D: pooling,
  GlobalAveragePooling2D: globalPooling,
  GlobalMaxPooling2D: globalPooling,
  Flatten: {
    outputShape: (layer, inputs) => [onlyInput(layer, inputs).reduce((product, size) => product * size, 1)],
    weights: noWeights,
  },
  Reshape: reshape,
};

export function kindOf(layer: ConfiguredLayer): LayerKind {
  const kind = Object.hasOwn(layerKinds, layer.kind) ? layerKinds[layer.kind] : undefined;
  if (kind) return kind;
  throw new ThawError(
    'ModelInvalid',
    `${layer.path}: layer class "${layer.kind}" is not supported; known classes: ${Object.keys(layerKinds).join(', ')}`,
  );
}

function inputShapeOf(layer: ConfiguredLayer): Shape {
  const shape = layer.config.batch_input_shape ?? layer.config.batch_shape;
  if (!Array.isArray(shape)) throw badConfig(layer, 'batch_input_shape', '[null, height, width, 3]');
  const sizes = shape.slice(1) as (number | null)[];
  if (sizes.every((size) => typeof size === 'number')) return sizes as number[];
  throw badConfig(layer, 'batch_input_shape', 'known sizes; set model.input.size');
}
