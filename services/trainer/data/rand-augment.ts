// RandAugment (Cubuk et al., NeurIPS 2020): a few operations, drawn evenly from fourteen, all at one magnitude. Operations
// and ranges are torchvision's, whose magnitudes go from 0 to 30; signed ones go either way. On the bytes of a picture
// [height, width, 3] that has the model's size already; geometry is bilinear and black outside.

import type { RandomStream } from '@thaw/common/random/stream.ts';
import type { ImageGeometry } from './decode-image.ts';
import { rotation, unmoved, warped } from './warp.ts';

export const magnitudeMax = 30;

interface Drawn {
  readonly geometry: ImageGeometry;
  /** 0..1. */
  readonly strength: number;
  /** 1 or -1. */
  readonly sign: number;
}

type Operation = (pixels: Uint8Array, drawn: Drawn) => Uint8Array;

/** Part of the width or height, by the paper's picture of 331 pixels. */
const shiftMax = 150 / 331;

export const operations: Readonly<Record<string, Operation>> = {
  identity: (pixels) => pixels,
  shearX: (pixels, { geometry, strength, sign }) => warped(pixels, geometry, { ...unmoved, xy: 0.3 * strength * sign }),
  shearY: (pixels, { geometry, strength, sign }) => warped(pixels, geometry, { ...unmoved, yx: 0.3 * strength * sign }),
  translateX: (pixels, { geometry, strength, sign }) =>
    warped(pixels, geometry, { ...unmoved, left: sign * Math.trunc(shiftMax * geometry.width * strength) }),
  translateY: (pixels, { geometry, strength, sign }) =>
    warped(pixels, geometry, { ...unmoved, top: sign * Math.trunc(shiftMax * geometry.height * strength) }),
  rotate: (pixels, { geometry, strength, sign }) => warped(pixels, geometry, rotation(30 * strength * sign)),
  brightness: (pixels, drawn) => blended(pixels, new Float64Array(pixels.length), factorOf(drawn)),
  color: (pixels, drawn) => blended(pixels, greyOf(pixels), factorOf(drawn)),
  contrast: (pixels, drawn) =>
    blended(pixels, new Float64Array(pixels.length).fill(mean(greyOf(pixels))), factorOf(drawn)),
  sharpness: (pixels, drawn) => blended(pixels, smoothed(pixels, drawn.geometry), factorOf(drawn)),
  posterize(pixels, { strength }) {
    const dropped = Math.round(4 * strength);
    return pixels.map((byte) => (byte >> dropped) << dropped);
  },
  solarize(pixels, { strength }) {
    const threshold = 255 * (1 - strength);
    return pixels.map((byte) => (byte >= threshold ? 255 - byte : byte));
  },
  autoContrast: (pixels) => byChannel(pixels, stretched),
  equalize: (pixels) => byChannel(pixels, equalized),
};

const drawnFrom = Object.values(operations);

/** `magnitude`: 0..magnitudeMax. */
export function randAugmented(
  pixels: Uint8Array,
  rule: { readonly operations: number; readonly magnitude: number },
  { geometry, stream }: { readonly geometry: ImageGeometry; readonly stream: RandomStream },
): Uint8Array {
  let output = pixels;
  for (let i = 0; i < rule.operations; i++) {
    const operation = drawnFrom[stream.below(drawnFrom.length)] as Operation;
    const sign = stream.uniform() < 0.5 ? -1 : 1;
    output = operation(output, { geometry, strength: rule.magnitude / magnitudeMax, sign });
  }
  return output;
}

function factorOf({ strength, sign }: Drawn): number {
  return 1 + 0.9 * strength * sign;
}

/** base + factor * (pixel - base). */
function blended(pixels: Uint8Array, base: Float64Array, factor: number): Uint8Array {
  return pixels.map((byte, i) => toByte((base[i] as number) + factor * (byte - (base[i] as number))));
}

function toByte(value: number): number {
  return Math.min(255, Math.max(0, Math.round(value)));
}

/** Luma of ITU-R 601, once for each channel. */
function greyOf(pixels: Uint8Array): Float64Array {
  const grey = new Float64Array(pixels.length);
  for (let i = 0; i < pixels.length; i += 3) {
    const [red, green, blue] = [pixels[i] as number, pixels[i + 1] as number, pixels[i + 2] as number];
    grey.fill(0.299 * red + 0.587 * green + 0.114 * blue, i, i + 3);
  }
  return grey;
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Each pixel five times and its eight neighbours once, over 13; the border stays. */
function smoothed(pixels: Uint8Array, { height, width }: ImageGeometry): Float64Array {
  const output = Float64Array.from(pixels);
  for (let y = 1; y < height - 1; y++) {
    for (let i = (y * width + 1) * 3; i < (y * width + width - 1) * 3; i++) {
      let sum = 4 * (pixels[i] as number);
      for (const row of [i - width * 3, i, i + width * 3]) {
        sum += (pixels[row - 3] as number) + (pixels[row] as number) + (pixels[row + 3] as number);
      }
      output[i] = Math.round(sum / 13);
    }
  }
  return output;
}

/** Each channel through a table that follows from its histogram. */
function byChannel(pixels: Uint8Array, tableOf: (histogram: Uint32Array) => Uint8Array): Uint8Array {
  const tables = [0, 1, 2].map((channel) => {
    const histogram = new Uint32Array(256);
    for (let i = channel; i < pixels.length; i += 3) {
      const byte = pixels[i] as number;
      histogram[byte] = (histogram[byte] as number) + 1;
    }
    return tableOf(histogram);
  });
  return pixels.map((byte, i) => tables[i % 3]?.[byte] ?? byte);
}

/** The darkest becomes 0, the brightest 255; one colour alone stays. */
function stretched(histogram: Uint32Array): Uint8Array {
  const low = histogram.findIndex((count) => count > 0);
  const high = histogram.findLastIndex((count) => count > 0);
  const scale = high > low ? 255 / (high - low) : 1;
  return Uint8Array.from({ length: 256 }, (_, byte) => (high > low ? toByte((byte - low) * scale) : byte));
}

/** Pillow's ImageOps.equalize. */
function equalized(histogram: Uint32Array): Uint8Array {
  const total = histogram.reduce((sum, count) => sum + count, 0);
  const last = histogram[histogram.findLastIndex((count) => count > 0)] ?? 0;
  const step = Math.floor((total - last) / 255);
  if (step === 0) return Uint8Array.from({ length: 256 }, (_, byte) => byte);
  let below = Math.floor(step / 2);
  return Uint8Array.from(histogram, (count) => {
    const value = Math.min(255, Math.floor(below / step));
    below += count;
    return value;
  });
}
