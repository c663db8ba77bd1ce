// Decodes one image to the model's size: rgb bytes, whatever the file holds (grey, alpha, 16 bit, CMYK, rotated by its
// camera). The same bytes give the same pixels. Bytes that cannot be decoded are a bad sample; a failure that is not
// theirs, such as of memory, never is.

import { openPicture } from '@thaw/common/data/open-picture.ts';
import type { Preprocessing } from '@thaw/common/job/resolved-job.ts';
import sharp, { type Sharp } from 'sharp';

export type ImageGeometry = Pick<Preprocessing, 'height' | 'width' | 'resize'>;

/** What decides the pixels of a file's bytes, beside the calls of this file and of open-picture.ts. */
export function decoderVersion(): string {
  return `sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}`;
}

// One thread and no cache: decoding runs beside compute and must not grow.
sharp.concurrency(1);
sharp.cache(false);

/** The file's bytes are no image that can be decoded whole. */
export class BadImage extends Error {}

/** Upright, three channels of 8 bit in sRGB. Throws BadImage. */
export function openImage(bytes: Uint8Array): Sharp {
  if (bytes.length === 0) throw new BadImage('the file is empty');
  return openPicture(bytes);
}

/** [height, width, 3] rgb bytes. Throws BadImage. */
export async function decodeImage(bytes: Uint8Array, geometry: ImageGeometry): Promise<Uint8Array> {
  return rawPixels(resizeTo(openImage(bytes), geometry), geometry);
}

const fits = { squash: 'fill', crop: 'cover', pad: 'contain' } as const;

export function resizeTo(image: Sharp, { height, width, resize }: ImageGeometry): Sharp {
  return image.resize(width, height, {
    fit: fits[resize],
    kernel: 'cubic',
    background: '#000000',
    fastShrinkOnLoad: false,
  });
}

/** Runs the pipeline. Throws BadImage, or whatever failed beside the decoder. */
export async function rawPixels(image: Sharp, { height, width }: ImageGeometry): Promise<Uint8Array> {
  const { data, info } = await image.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true }).catch(throwBadImage);
  const pixels = height * width;
  if (info.channels === 3 && data.length === pixels * 3) return data;
  if (info.channels === 1 && data.length === pixels)
    return Uint8Array.from({ length: pixels * 3 }, (_, i) => data[(i / 3) | 0] as number);
  throw new BadImage(`decoded to ${info.width} x ${info.height} x ${info.channels}`);
}

/**
 * How a decoder's failure begins, once sharp has said "Input …" or nothing. These follow from the bytes alone: the same
 * file fails everywhere and always. Whatever else goes wrong (memory, threads, a wrong request) may not.
 */
const decoderFailures =
  /^(Input (buffer|image) |VipsJpeg:|vipspng:|pngload|webp|gifload|tiff|heif|svgload|source:|icc_|vips_colourspace:|VipsForeignLoad)/;
const resourceFailures =
  /out of memory|insufficient memory|memory allocation error(?!: security)|cannot allocate|create thread|too many open files/i;

/** Throws what the decoder says of the bytes as BadImage, in one line, and anything else as it is. */
export function throwBadImage(error: unknown): never {
  const text = (error instanceof Error ? error.message : String(error)).trim();
  if (!decoderFailures.test(text) || resourceFailures.test(text)) throw error;
  throw new BadImage(text.split('\n')[0] || 'unreadable');
}
