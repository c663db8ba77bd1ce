// Reads one value of a Keras layer config, typed, with an error that names the layer and what was found.

import { ThawError } from '../errors/thaw-error.ts';
import type { Layer } from './graph.ts';

export type ConfiguredLayer = Pick<Layer, 'path' | 'kind' | 'config'>;
export type Pair = readonly [number, number];
export type Padding = 'same' | 'valid';

export function badConfig(layer: ConfiguredLayer, key: string, expected: string): ThawError {
  const found = JSON.stringify(layer.config[key]) ?? 'nothing';
  return new ThawError('ModelInvalid', `${layer.path} (${layer.kind}): ${key}: found ${found}; expected ${expected}`);
}

export function numberOf(layer: ConfiguredLayer, key: string, fallback?: number): number {
  const value = layer.config[key] ?? fallback;
  if (typeof value !== 'number' || !Number.isFinite(value)) throw badConfig(layer, key, 'a number');
  return value;
}

export function booleanOf(layer: ConfiguredLayer, key: string, fallback: boolean): boolean {
  const value = layer.config[key] ?? fallback;
  if (typeof value !== 'boolean') throw badConfig(layer, key, 'true or false');
  return value;
}

/** A count, or [count, count]. */
export function pairOf(layer: ConfiguredLayer, key: string, fallback?: Pair): Pair {
  const value = layer.config[key] ?? fallback;
  if (typeof value === 'number') return [value, value];
  if (Array.isArray(value) && value.length === 2 && value.every((size) => typeof size === 'number')) {
    return [value[0] as number, value[1] as number];
  }
  throw badConfig(layer, key, 'a number or two numbers');
}

export function paddingOf(layer: ConfiguredLayer): Padding {
  const value = layer.config.padding ?? 'valid';
  if (value === 'same' || value === 'valid') return value;
  throw badConfig(layer, 'padding', '"same" or "valid"');
}

/** ZeroPadding2D: [[top, bottom], [left, right]]. */
export function zeroPaddingOf(layer: ConfiguredLayer): readonly [Pair, Pair] {
  const value = layer.config.padding ?? 1;
  if (typeof value === 'number') return [[value, value], [value, value]]; // biome-ignore format: two pairs
  if (Array.isArray(value) && value.length === 2) {
    const sides = value.map((side: unknown) => (typeof side === 'number' ? [side, side] : side));
    const right = sides.every((side) => Array.isArray(side) && side.length === 2 && side.every(Number.isInteger));
    if (right) return sides as unknown as readonly [Pair, Pair];
  }
  throw badConfig(layer, 'padding', 'a number, two numbers, or two pairs');
}

export const activations = [
  'linear',
  'relu',
  'relu6',
  'sigmoid',
  'tanh',
  'softmax',
  'elu',
  'gelu',
  'silu',
  'swish',
  'hard_sigmoid',
] as const;
export type ActivationName = (typeof activations)[number];

export function activationOf(layer: ConfiguredLayer): ActivationName {
  const value = layer.config.activation ?? 'linear';
  const known = activations.find((name) => name === value);
  if (known) return known;
  throw badConfig(layer, 'activation', `one of ${activations.join(', ')}`);
}

/** Spatial layers are channels-last; anything else would be silently another network. */
export function requireChannelsLast(layer: ConfiguredLayer): void {
  const value = layer.config.data_format ?? 'channels_last';
  if (value !== 'channels_last') throw badConfig(layer, 'data_format', '"channels_last"');
}

/** Output length of a convolution or pooling along one axis (TensorFlow's rule). */
export function slidingLength(input: number, window: number, options: { stride: number; padding: Padding }): number {
  const { stride, padding } = options;
  return padding === 'same' ? Math.ceil(input / stride) : Math.ceil((input - window + 1) / stride);
}
