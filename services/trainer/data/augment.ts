// Augmentation of one training sample, drawn from (seed, view, sample id) alone: view v of a sample is the same picture
// wherever and whenever it is computed. Geometry is done by sharp, brightness and contrast on the bytes.

import { assertNever } from '@thaw/common/errors/thaw-error.ts';
import type { Augmentation } from '@thaw/common/job/resolved-job.ts';
import { keyedStream, type RandomStream } from '@thaw/common/random/stream.ts';
import sharp from 'sharp';
import { decodeImage, type ImageGeometry, openImage, rawPixels, resizeTo, throwBadImage } from './decode-image.ts';
import { randAugmented } from './rand-augment.ts';
import { rotation, warped } from './warp.ts';

export interface AugmentOptions {
  readonly geometry: ImageGeometry;
  readonly augment: readonly Augmentation[];
  readonly seed: number;
  readonly view: number;
  readonly sampleId: string;
}

/** [height, width, 3] rgb bytes. Throws BadImage. */
export async function augmentedImage(bytes: Uint8Array, options: AugmentOptions): Promise<Uint8Array> {
  const { geometry, augment, seed, view, sampleId } = options;
  const stream = keyedStream(seed, 'augment', view, sampleId);
  const crop = augment.find(({ kind }) => kind === 'crop');
  const rest = augment.filter(({ kind }) => kind !== 'crop');
  let pixels =
    crop?.kind === 'crop' ? await cropped(bytes, geometry, { crop, stream }) : await decodeImage(bytes, geometry);
  for (const augmentation of rest) pixels = await apply(pixels, augmentation, { geometry, stream });
  return pixels;
}

type Crop = Extract<Augmentation, { kind: 'crop' }>;

/** A window of the decoded picture, resized to the input: area a fraction of the picture's, aspect drawn log-uniformly. */
async function cropped(
  bytes: Uint8Array,
  geometry: ImageGeometry,
  { crop, stream }: { crop: Crop; stream: RandomStream },
): Promise<Uint8Array> {
  const { data, info } = await openImage(bytes)
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
    .catch(throwBadImage);
  const area = between(stream, crop.area) * info.width * info.height;
  const [low, high] = crop.aspect;
  const aspect = Math.exp(between(stream, [Math.log(low), Math.log(high)]));
  const width = clamp(Math.round(Math.sqrt(area * aspect)), 1, info.width);
  const height = clamp(Math.round(Math.sqrt(area / aspect)), 1, info.height);
  const left = stream.below(info.width - width + 1);
  const top = stream.below(info.height - height + 1);
  const { channels } = info;
  const window = sharp(data, { raw: { width: info.width, height: info.height, channels } }).extract({
    left,
    top,
    width,
    height,
  });
  return rawPixels(resizeTo(window, { ...geometry, resize: 'squash' }), geometry);
}

async function apply(
  pixels: Uint8Array,
  augmentation: Augmentation,
  { geometry, stream }: { geometry: ImageGeometry; stream: RandomStream },
): Promise<Uint8Array> {
  switch (augmentation.kind) {
    case 'flip':
      return stream.uniform() < 0.5 ? pixels : flipped(pixels, geometry, augmentation.axis);
    case 'rotate':
      return warped(pixels, geometry, rotation(between(stream, [-augmentation.degrees, augmentation.degrees])));
    case 'brightness':
      return mapped(pixels, between(stream, [1 - augmentation.amount, 1 + augmentation.amount]), 0);
    case 'contrast':
      return mapped(pixels, between(stream, [1 - augmentation.amount, 1 + augmentation.amount]), meanOf(pixels));
    case 'randAugment':
      return randAugmented(pixels, augmentation, { geometry, stream });
    case 'crop':
      return pixels; // done on the whole picture, before it was resized
    default:
      return assertNever(augmentation, 'augmentation');
  }
}

function flipped(pixels: Uint8Array, { height, width }: ImageGeometry, axis: 'horizontal' | 'vertical'): Uint8Array {
  const output = new Uint8Array(pixels.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = axis === 'horizontal' ? y * width + (width - 1 - x) : (height - 1 - y) * width + x;
      const to = y * width + x;
      for (let c = 0; c < 3; c++) output[to * 3 + c] = pixels[from * 3 + c] as number;
    }
  }
  return output;
}

/** value = center + (value - center) * factor, kept within a byte. */
function mapped(pixels: Uint8Array, factor: number, center: number): Uint8Array {
  const table = Uint8Array.from({ length: 256 }, (_, byte) =>
    clamp(Math.round(center + (byte - center) * factor), 0, 255),
  );
  return pixels.map((byte) => table[byte] as number);
}

function meanOf(pixels: Uint8Array): number {
  let sum = 0;
  for (const byte of pixels) sum += byte;
  return sum / pixels.length;
}

function between(stream: RandomStream, [low, high]: readonly [number, number]): number {
  return low + (high - low) * stream.uniform();
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
