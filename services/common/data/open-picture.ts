// A picture's bytes as all of Thaw sees them: what trainers learn from, what the search for look-alikes compares, and what
// the report shows are the same picture. Another setting here gives other pixels, and so other weights.

import sharp, { type Sharp } from 'sharp';

/** Larger pictures are refused before memory is taken. */
const pixelsMax = 100_000_000;

/** Larger files are opened by trainers only: what was trained on may have changed since. */
export const pictureBytesMax = 64 * 1024 * 1024;

/** Upright, three channels of 8 bit in sRGB, black where it is transparent. What is cut short fails when it is read. */
export function openPicture(bytes: Uint8Array): Sharp {
  return sharp(bytes, { failOn: 'truncated', limitInputPixels: pixelsMax })
    .rotate()
    .flatten({ background: '#000000' })
    .toColourspace('srgb');
}
