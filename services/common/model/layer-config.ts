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

/** A number, or one for each of `length` channels. */
export function numbersOf(layer: ConfiguredLayer, key: string, length: number, fallback?: number): number | number[] {
  const value = layer.config[key] ?? fallback;
  if (!Array.isArray(value)) return numberOf(layer, key, fallback);
  if (value.length === length && value.every((one) => Number.isFinite(one))) return value as number[];
  throw badConfig(layer, key, `a number, or ${length}`);
}

export function booleanOf(layer: ConfiguredLayer, key: string, fallback: boolean): boolean {
  const value = layer.config[key] ?? fallback;
  if (typeof value !== 'boolean') throw badConfig(layer, key, 'true or false');
  return value;
}

/** A count, or [count, count]. */
export function pairOf(layer: ConfiguredLayer, key: string, fallback?: Pair): Pair {
  const value = layer.config[key] ?? fallback;
  const pair = Array.isArray(value) ? value : [value, value];
  if (pair.length === 2 && pair.every(isCount)) return [pair[0] as number, pair[1] as number];
  throw badConfig(layer, key, 'a whole number from 1, or two');
}

/** Filters, units, a multiplier. */
export function countOf(layer: ConfiguredLayer, key: string, fallback?: number): number {
  const value = layer.config[key] ?? fallback;
  if (isCount(value)) return value;
  throw badConfig(layer, key, 'a whole number from 1');
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

export function paddingOf(layer: ConfiguredLayer): Padding {
  const value = layer.config.padding ?? 'valid';
  if (value === 'same' || value === 'valid') return value;
  throw badConfig(layer, 'padding', '"same" or "valid"');
}

/** ZeroPadding2D: [[top, bottom], [left, right]]. */
export function zeroPaddingOf(layer: ConfiguredLayer): readonly [Pair, Pair] {
  const value = layer.config.padding ?? 1;
  const sides = (Array.isArray(value) ? value : [value, value]).map((side: unknown) =>
    Array.isArray(side) ? side : [side, side],
  );
  const isSize = (size: unknown): boolean => Number.isSafeInteger(size) && (size as number) >= 0;
  const right = sides.length === 2 && sides.every((side) => side.length === 2 && side.every(isSize));
  if (right) return sides as unknown as readonly [Pair, Pair];
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
