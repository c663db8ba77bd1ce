// Sliding windows of convolutions and poolings, as tfjs works their shapes out, and the arrangements of data that the
// composed gradients need: the input as each place of the window sees it, and values of the outputs spread out to the
// size of the input. Channels last, and without dilation, which tfjs differentiates nowhere.

import * as tf from '@tensorflow/tfjs-core';

export type Window = tf.backend_util.Conv2DInfo;

export interface WindowAttributes {
  readonly strides: number | [number, number];
  readonly pad: Parameters<typeof tf.backend_util.computeConv2DInfo>[4];
  readonly dimRoundingMode: 'floor' | 'round' | 'ceil';
}

type Shape4D = [number, number, number, number];
type Pads = [number, number][];

export interface ConvolutionOptions {
  /** [batch, height, width, channels] */
  readonly input: readonly number[];
  /** [height, width, channels, filters], or [height, width, channels, multiplier] of a depthwise one. */
  readonly filter: readonly number[];
  readonly isDepthwise: boolean;
}

export function convolutionWindow(options: ConvolutionOptions, attributes: WindowAttributes): Window {
  const { strides, pad, dimRoundingMode } = attributes;
  const [input, filter] = [[...options.input] as Shape4D, [...options.filter] as Shape4D];
  return tf.backend_util.computeConv2DInfo(input, filter, strides, 1, pad, dimRoundingMode, options.isDepthwise);
}

export function poolingWindow(
  input: readonly number[],
  { filterSize, strides, pad, dimRoundingMode }: WindowAttributes & { readonly filterSize: number | [number, number] },
): Window {
  return tf.backend_util.computePool2DInfo([...input] as Shape4D, filterSize, strides, 1, pad, dimRoundingMode);
}

/** A place within the window, from 0. */
export interface Place {
  readonly row: number;
  readonly column: number;
}

/** All places of the window, row by row. */
export function placesOf({ filterHeight, filterWidth }: Window): Place[] {
  const columns = [...new Array(filterWidth).keys()];
  return [...new Array(filterHeight).keys()].flatMap((row) => columns.map((column) => ({ row, column })));
}

/** x: [batch, height, width, channels], with `value` where the window looks beyond it. */
export function paddedInput(x: tf.Tensor, { padInfo }: Window, value = 0): tf.Tensor {
  const { top, bottom, left, right } = padInfo;
  return tf.pad(x, around([top, bottom], [left, right]), value);
}

/** What a place of the window sees, over all outputs: [batch, outHeight, outWidth, channels]. */
export function seenFrom({ row, column }: Place, padded: tf.Tensor, window: Window): tf.Tensor {
  const { batchSize, inChannels, outHeight, outWidth, strideHeight, strideWidth } = window;
  const last = [row + (outHeight - 1) * strideHeight + 1, column + (outWidth - 1) * strideWidth + 1] as const;
  const end = [batchSize, ...last, inChannels];
  return tf.stridedSlice(padded, [0, row, column, 0], end, [1, strideHeight, strideWidth, 1]);
}

/** The reverse of `seenFrom`: values of the outputs at their places in the padded input, zeros elsewhere. */
export function spreadOver(values: tf.Tensor, { row, column }: Place, window: Window): tf.Tensor {
  const { inHeight, inWidth, padInfo } = window;
  const strided = zerosBetween(values, window);
  const [, height, width] = strided.shape as Shape4D;
  const below = inHeight + padInfo.top + padInfo.bottom - row - height;
  const behind = inWidth + padInfo.left + padInfo.right - column - width;
  return tf.pad(strided, around([row, below], [column, behind]));
}

/** The input within the padded one. */
export function unpadded(padded: tf.Tensor, { batchSize, inHeight, inWidth, padInfo }: Window): tf.Tensor {
  return tf.slice(padded, [0, padInfo.top, padInfo.left, 0], [batchSize, inHeight, inWidth, -1]);
}

/**
 * The outputs' gradient with zeros between (for strides) and around, so that the reversed filter, slid over every place
 * of it, gives the input's gradient. dy: [batch, outHeight, outWidth, channels].
 */
export function spreadGradient(dy: tf.Tensor, window: Window): tf.Tensor4D {
  const { inHeight, inWidth, filterHeight, filterWidth, padInfo } = window;
  const strided = zerosBetween(dy, window);
  const [, height, width] = strided.shape as Shape4D;
  const [top, left] = [filterHeight - 1 - padInfo.top, filterWidth - 1 - padInfo.left];
  const bottom = inHeight + filterHeight - 1 - height - top;
  const right = inWidth + filterWidth - 1 - width - left;
  return tf.pad(strided, around([top, bottom], [left, right])) as tf.Tensor4D;
}

function around(rows: [number, number], columns: [number, number]): Pads {
  return [[0, 0], rows, columns, [0, 0]];
}

/** Rows and columns moved apart by the strides. */
function zerosBetween(values: tf.Tensor, { strideHeight, strideWidth }: Window): tf.Tensor {
  if (strideHeight === 1 && strideWidth === 1) return values;
  const [batch, rows, columns, channels] = values.shape as Shape4D;
  const [height, width] = [rows * strideHeight, columns * strideWidth];
  const wide = zerosAfter(tf.reshape(values, [batch * rows * columns, channels]), strideWidth);
  const high = zerosAfter(tf.reshape(wide, [batch * rows, width * channels]), strideHeight);
  const all = tf.reshape(high, [batch, height, width, channels]);
  return tf.slice(all, [0, 0, 0, 0], [batch, height - strideHeight + 1, width - strideWidth + 1, channels]);
}

/** Every row followed by `stride` - 1 rows of zeros. */
function zerosAfter(rows: tf.Tensor, stride: number): tf.Tensor {
  const [count, length] = rows.shape as [number, number];
  return tf.pad(tf.reshape(rows, [count, 1, length]), [[0, 0], [0, stride - 1], [0, 0]]); // biome-ignore format: one pair an axis
}
