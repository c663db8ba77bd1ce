// First values of layers that nothing trained, drawn per tensor from (seed, name), with the distributions of Keras:
// Glorot uniform (2010) unless the layer's config names another variance scaling (He et al., 2015), biases and means 0,
// gammas and variances 1.

import { keyedStream, type RandomStream } from '../random/stream.ts';
import type { Layer, Tensor, WeightSpec, Weights } from './graph.ts';
import { badConfig } from './layer-config.ts';

export function initialWeights(layers: readonly Layer[], seed: number): Weights {
  return new Map(
    layers.flatMap((layer) => layer.weights.map((spec) => [spec.name, initialTensor(layer, spec, seed)] as const)),
  );
}

function initialTensor(layer: Layer, { name, shape, role }: WeightSpec, seed: number): Tensor {
  const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
  if (role === 'gamma' || role === 'movingVariance') data.fill(1);
  if (role === 'kernel') {
    const draw = distribution(scalingOf(layer, name), shape);
    const stream = keyedStream(seed, 'initialise', name);
    for (let i = 0; i < data.length; i++) data[i] = draw(stream);
  }
  return { shape, data };
}

interface Scaling {
  readonly scale: number;
  readonly mode: 'fan_in' | 'fan_out' | 'fan_avg';
  readonly distribution: 'uniform' | 'truncated_normal';
}

const glorotUniform: Scaling = { scale: 1, mode: 'fan_avg', distribution: 'uniform' };

/** Keras names the initializer after the weight: kernel_initializer, depthwise_initializer, pointwise_initializer. */
function scalingOf(layer: Layer, name: string): Scaling {
  const weight = name.slice(layer.path.length + 1);
  const key = `${weight.replace(/_kernel$/, '')}_initializer`;
  const initializer = layer.config[key] as { class_name?: string; config?: Scaling } | undefined;
  if (initializer === undefined || initializer.class_name === 'GlorotUniform') return glorotUniform;
  if (initializer.class_name === 'VarianceScaling' && initializer.config) return initializer.config;
  throw badConfig(layer, key, 'GlorotUniform or VarianceScaling');
}

/** Keras truncates at two standard deviations and divides by this, the deviation of what is left. */
const truncatedDeviation = 0.87962566103423978;

function distribution(
  { scale, mode, distribution }: Scaling,
  shape: readonly number[],
): (from: RandomStream) => number {
  const [fanIn, fanOut] = fansOf(shape);
  const fan = Math.max(1, { fan_in: fanIn, fan_out: fanOut, fan_avg: (fanIn + fanOut) / 2 }[mode]);
  if (distribution === 'uniform') {
    const limit = Math.sqrt((3 * scale) / fan);
    return (stream) => (2 * stream.uniform() - 1) * limit;
  }
  const deviation = Math.sqrt(scale / fan) / truncatedDeviation;
  return (stream) => truncatedNormal(stream) * deviation;
}

/** As keras.src.initializers.random_initializers.compute_fans: a convolution's window counts on both sides. */
function fansOf(shape: readonly number[]): readonly [fanIn: number, fanOut: number] {
  const [inputs = 1, outputs = 1] = shape.slice(-2);
  const window = shape.slice(0, -2).reduce((product, size) => product * size, 1);
  return [inputs * window, outputs * window];
}

/** Box and Muller (1958), again where it lies beyond two. */
function truncatedNormal(stream: RandomStream): number {
  for (;;) {
    const radius = Math.sqrt(-2 * Math.log(1 - stream.uniform()));
    const value = radius * Math.cos(2 * Math.PI * stream.uniform());
    if (Math.abs(value) < 2) return value;
  }
}
