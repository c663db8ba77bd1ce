// What stays of a picture when it is scaled, recompressed or made brighter: 18 x 16 colours, and a hash of 64 bits over
// half of that in grey (a difference hash: is a place darker than its right neighbour? Krawetz 2013, "Kind of like
// that"). The hash finds candidates fast, the colours tell whether they are alike.

import { openPicture } from '@thaw/common/data/open-picture.ts';

export interface Fingerprint {
  /** Two halves of 32 bits. */
  readonly hash: readonly [number, number];
  /** [16, 18, 3], with mean 0 in each colour and length 1 over all. */
  readonly colours: Float32Array;
}

const width = 18;
const height = 16;
const hashWidth = width / 2;
const hashHeight = height / 2;
const channels = 3;

/** Levels of standard deviation; a picture with less is a plain surface, and all of those are alike. */
const deviationMin = 2;

/** Null for a plain surface. Throws where the bytes are no picture. */
export async function fingerprintOf(bytes: Uint8Array): Promise<Fingerprint | null> {
  const levels = await openPicture(bytes).resize(width, height, { fit: 'fill' }).raw().toBuffer();
  const means = Array.from({ length: channels }, (_, channel) => meanOf(levels, channel));
  const centred = Float64Array.from(levels, (level, i) => level - (means[i % channels] as number));
  const length = Math.sqrt(centred.reduce((sum, value) => sum + value * value, 0));
  if (length < deviationMin * Math.sqrt(levels.length)) return null;
  return { hash: hashOf(levels), colours: Float32Array.from(centred, (value) => value / length) };
}

function meanOf(levels: Uint8Array, channel: number): number {
  const sum = levels.reduce((total, level, i) => (i % channels === channel ? total + level : total), 0);
  return (sum / levels.length) * channels;
}

function hashOf(levels: Uint8Array): [number, number] {
  const half = (x: number, y: number): number => {
    const [at, below] = [2 * y * width + 2 * x, (2 * y + 1) * width + 2 * x].map((place) => place * channels) as [
      number,
      number,
    ];
    const sumFrom = (start: number): number =>
      levels.subarray(start, start + 2 * channels).reduce((sum, level) => sum + level, 0);
    return sumFrom(at) + sumFrom(below);
  };
  const hash: [number, number] = [0, 0];
  let bit = 0;
  for (let y = 0; y < hashHeight; y++) {
    for (let x = 0; x + 1 < hashWidth; x++) {
      if (half(x, y) < half(x + 1, y)) hash[bit >> 5] = (hash[bit >> 5] as number) | (1 << (bit & 31));
      bit += 1;
    }
  }
  return hash;
}

/** Bits that differ. */
export function hashDistance(a: Fingerprint, b: Fingerprint): number {
  return bitsOf(a.hash[0] ^ b.hash[0]) + bitsOf(a.hash[1] ^ b.hash[1]);
}

/** Correlation of the colours: 1 for pictures that differ in brightness and contrast alone. */
export function likeness(a: Fingerprint, b: Fingerprint): number {
  return a.colours.reduce((sum, value, i) => sum + value * (b.colours[i] as number), 0);
}

/** Warren, Hacker's Delight, 5-1. */
function bitsOf(word: number): number {
  let n = word - ((word >>> 1) & 0x55555555);
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333);
  return Math.imul((n + (n >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
