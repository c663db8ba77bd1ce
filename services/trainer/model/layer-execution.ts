// What each layer kind computes on a batch, in tfjs operations, and the kernels that this needs, gradients included.
// One entry per kind of services/common/model/layer-kinds.ts (tested).

import * as tf from '@tensorflow/tfjs-core';
import type { Layer } from '@thaw/common/model/graph.ts';
import {
  activationOf,
  numberOf,
  numbersOf,
  paddingOf,
  pairOf,
  zeroPaddingOf,
} from '@thaw/common/model/layer-config.ts';
import { hasOwnStatistics, noiseShapeOf } from '@thaw/common/model/layer-kinds.ts';
import { activate, activationKernels, reluLayer } from './activation.ts';
import { convolve, type Values } from './affine.ts';
import { averagePool } from './average-pool.ts';
import { batchNormalization, type MomentsOf, momentsKernels } from './batch-normalization.ts';

export interface Call {
  readonly layer: Layer;
  /** [batch, …] each. */
  readonly inputs: readonly tf.Tensor[];
  readonly value: Values;
  /** Multiplies a dropout layer's input in training; null in inference. */
  readonly mask: ((layer: Layer, shape: readonly number[]) => tf.Tensor) | null;
  /** Null: every normalisation by its moving statistics. */
  readonly moments: MomentsOf | null;
}

export interface LayerExecution {
  run(call: Call): tf.Tensor;
  /** Without those of an activation that the layer's config names. */
  readonly kernels: readonly string[];
}

/** Kernels that every stage needs, whatever its layers: the loss, and the bookkeeping of gradients and boundaries. */
export const commonKernels: readonly string[] = [
  'Add',
  'Cast',
  'Concat',
  'Identity',
  'Exp',
  'Log',
  'Max',
  'Sub',
  'Multiply',
  'Neg',
  'OneHot',
  'Reshape',
  'Slice',
  'Sum',
];

const first = ({ inputs }: Call): tf.Tensor => inputs[0] as tf.Tensor;
const spatial = (call: Call): tf.Tensor4D => first(call) as tf.Tensor4D;
const affineKernels = ['Add', 'Sum'];
/** A 1x1 convolution is a matrix product. */
const convolutionKernels = ['Conv2D', 'Conv2DBackpropInput', 'Conv2DBackpropFilter', 'BatchMatMul', 'Reshape'];
const depthwiseKernels = [
  'DepthwiseConv2dNative',
  'DepthwiseConv2dNativeBackpropInput',
  'DepthwiseConv2dNativeBackpropFilter',
];

/** Affine kinds run in execute.ts, where a normalisation may be folded into them. */
const affine = (kernels: readonly string[]): LayerExecution => ({
  run: () => {
    throw new Error('affine layers are run by execute.ts');
  },
  kernels,
});

const separableConv2d: LayerExecution = {
  run(call) {
    const { layer, value } = call;
    const strides = pairOf(layer, 'strides', [1, 1]) as [number, number];
    const depthwise = value(`${layer.path}/depthwise_kernel`) as tf.Tensor4D;
    const dilations = pairOf(layer, 'dilation_rate', [1, 1]) as [number, number];
    const deep = tf.depthwiseConv2d(spatial(call), depthwise, strides, paddingOf(layer), 'NHWC', dilations);
    const pointwise = value(`${layer.path}/pointwise_kernel`) as tf.Tensor4D;
    const product = convolve(deep, pointwise, { strides: [1, 1], dilations: [1, 1], padding: 'valid' });
    const biased = layer.config.use_bias === false ? product : tf.add(product, value(`${layer.path}/bias`));
    return activate(biased, activationOf(layer));
  },
  kernels: [...affineKernels, ...depthwiseKernels, 'BatchMatMul', 'Reshape'],
};

const pooling = ({ layer }: Call) => {
  const window = pairOf(layer, 'pool_size', [2, 2]) as [number, number];
  return { window, strides: pairOf(layer, 'strides', window) as [number, number], padding: paddingOf(layer) };
};

function globalPool(
  reduce: (x: tf.Tensor, keepDims: boolean) => tf.Tensor,
  kernels: readonly string[],
): LayerExecution {
  return { run: (call) => reduce(first(call), call.layer.config.keepdims === true), kernels };
}

/** One number, or one a channel. */
function channelValues(layer: Layer, key: string, fallback?: number): tf.Tensor {
  const values = numbersOf(layer, key, layer.outputShape.at(-1) as number, fallback);
  return typeof values === 'number' ? tf.scalar(values) : tf.tensor1d(values);
}

/** As in Keras, which divides by at least this. */
const deviationMin = 1e-7;

const normalization: LayerExecution = {
  run(call) {
    const { layer, value } = call;
    const statistic = (name: string): tf.Tensor =>
      hasOwnStatistics(layer) ? channelValues(layer, name) : value(`${layer.path}/${name}`);
    const deviation = tf.maximum(tf.sqrt(statistic('variance')), deviationMin);
    return tf.div(tf.sub(first(call), statistic('mean')), deviation);
  },
  kernels: ['Sub', 'Sqrt', 'Maximum', 'RealDiv'],
};

const reshape: LayerExecution = {
  run: (call) => tf.reshape(first(call), [first(call).shape[0] as number, ...call.layer.outputShape]),
  kernels: ['Reshape'],
};

export const layerExecutions: Readonly<Record<string, LayerExecution>> = {
  InputLayer: { run: first, kernels: [] },
  ZeroPadding2D: {
    run(call) {
      const [[top, bottom], [left, right]] = zeroPaddingOf(call.layer);
      return tf.pad4d(spatial(call), [[0, 0], [top, bottom], [left, right], [0, 0]]); // biome-ignore format: one pair an axis
    },
    kernels: ['PadV2', 'Slice'],
  },
  Conv2D: affine([...affineKernels, ...convolutionKernels]),
  DepthwiseConv2D: affine([...affineKernels, ...depthwiseKernels]),
  Dense: affine([...affineKernels, 'BatchMatMul']),
  SeparableConv2D: separableConv2d,
  BatchNormalization: {
    run: (call) => batchNormalization(call.layer, first(call), call),
    kernels: ['Add', 'Multiply', 'Neg', 'Sqrt', ...momentsKernels],
  },
  Normalization: normalization,
  ReLU: {
    run: (call) =>
      reluLayer(first(call), {
        max: typeof call.layer.config.max_value === 'number' ? call.layer.config.max_value : null,
        slope: numberOf(call.layer, 'negative_slope', 0),
        threshold: numberOf(call.layer, 'threshold', 0),
      }),
    kernels: [
      ...activationKernels.relu,
      ...activationKernels.relu6,
      ...['Minimum', 'LessEqual', 'Greater', 'Step', 'Select', 'IsNan', 'ZerosLike', 'Fill', 'Neg', 'Add'],
    ],
  },
  LeakyReLU: {
    run: (call) =>
      tf.leakyRelu(first(call), numberOf(call.layer, 'alpha', numberOf(call.layer, 'negative_slope', 0.3))),
    kernels: ['LeakyRelu', 'Greater', 'Select', 'Multiply'],
  },
  Softmax: { run: (call) => tf.softmax(first(call)), kernels: activationKernels.softmax },
  Activation: { run: (call) => activate(first(call), activationOf(call.layer)), kernels: [] },
  Rescaling: {
    run: (call) =>
      tf.add(tf.mul(first(call), channelValues(call.layer, 'scale')), channelValues(call.layer, 'offset', 0)),
    kernels: ['Multiply', 'Add'],
  },
  Dropout: {
    run(call) {
      const { layer, mask } = call;
      const x = first(call);
      if (!mask) return x;
      return tf.mul(x, mask(layer, [x.shape[0] as number, ...noiseShapeOf(layer, x.shape.slice(1))]));
    },
    kernels: ['Multiply'],
  },
  Add: { run: ({ inputs }) => inputs.reduce((sum, input) => tf.add(sum, input)), kernels: ['Add', 'Sum', 'Reshape'] },
  Multiply: {
    run: ({ inputs }) => inputs.reduce((product, input) => tf.mul(product, input)),
    kernels: ['Multiply', 'Sum', 'Reshape'],
  },
  Concatenate: { run: ({ inputs }) => tf.concat([...inputs], -1), kernels: ['Concat', 'SplitV'] },
  MaxPooling2D: {
    run(call) {
      const { window, strides, padding } = pooling(call);
      return tf.maxPool(spatial(call), window, strides, padding);
    },
    kernels: ['MaxPool', 'MaxPoolGrad'],
  },
  AveragePooling2D: {
    run: (call) => averagePool(spatial(call), pooling(call)),
    kernels: ['AvgPool', 'AvgPoolGrad', 'PadV2', 'Slice', 'Multiply'],
  },
  GlobalAveragePooling2D: globalPool(
    (x, keepDims) => tf.mean(x, [1, 2], keepDims),
    ['Mean', 'Multiply', 'RealDiv', 'Reshape'],
  ),
  GlobalMaxPooling2D: globalPool(
    (x, keepDims) => tf.max(x, [1, 2], keepDims),
    ['Max', 'Equal', 'Cast', 'Multiply', 'Reshape'],
  ),
  Flatten: reshape,
  Reshape: reshape,
};

/** Kernels that a layer needs as it is configured, gradients included. */
export function kernelsOf(layer: Layer): readonly string[] {
  return [...(layerExecutions[layer.kind]?.kernels ?? []), ...activationKernels[activationOf(layer)]];
}
