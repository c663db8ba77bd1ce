// The only source of randomness. Counter-based (Philox4x32-10, Salmon et al., SC 2011) and keyed by what is drawn
// (seed, purpose, epoch or view, sample id), never by rank, process, time or arrival, so that any trainer draws the
// same numbers for the same sample.

import { createHash } from 'node:crypto';

export interface RandomStream {
  /** Uniform in 0..2^32-1. */
  uint32(): number;
  /** Uniform in [0, 1), 24 bits, exact in float32. */
  uniform(): number;
  /** Uniform integer in 0..bound-1, without modulo bias. */
  below(bound: number): number;
}

/** What the numbers are for. A new purpose is a new stream; renaming one changes every result. */
export type Purpose = 'split' | 'shard' | 'order' | 'augment' | 'dropout' | 'initialise' | 'mixup' | 'probe';

const multiplierA = 0xd2511f53;
const multiplierB = 0xcd9e8d57;
const weylA = 0x9e3779b9;
const weylB = 0xbb67ae85;
const rounds = 10;

export function keyedStream(seed: number, purpose: Purpose, ...parts: readonly (string | number)[]): RandomStream {
  const key = createHash('sha256')
    .update(JSON.stringify([seed, purpose, ...parts]))
    .digest();
  return philox(key.readUInt32LE(0), key.readUInt32LE(4));
}

/** A permutation of 0..count-1, Fisher–Yates on the stream. */
export function permutation(stream: RandomStream, count: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  for (let i = count - 1; i > 0; i--) {
    const j = stream.below(i + 1);
    const swap = order[i] as number;
    order[i] = order[j] as number;
    order[j] = swap;
  }
  return order;
}

export function philox(keyLow: number, keyHigh: number): RandomStream {
  const block = new Uint32Array(4);
  let counter = 0;
  let used = 4;
  const uint32 = (): number => {
    if (used === 4) {
      philoxBlock(block, counter++, keyLow, keyHigh);
      used = 0;
    }
    return block[used++] as number;
  };
  return {
    uint32,
    uniform: () => (uint32() >>> 8) / 0x1000000,
    below(bound) {
      const limit = 0x100000000 - (0x100000000 % bound);
      for (;;) {
        const value = uint32();
        if (value < limit) return value % bound;
      }
    },
  };
}

function philoxBlock(out: Uint32Array, counter: number, keyLow: number, keyHigh: number): void {
  let c0 = counter >>> 0;
  let c1 = Math.floor(counter / 0x100000000) >>> 0;
  let c2 = 0;
  let c3 = 0;
  let k0 = keyLow >>> 0;
  let k1 = keyHigh >>> 0;
  for (let round = 0; round < rounds; round++) {
    const highA = multiplyHigh(multiplierA, c0);
    const lowA = Math.imul(multiplierA, c0) >>> 0;
    const highB = multiplyHigh(multiplierB, c2);
    const lowB = Math.imul(multiplierB, c2) >>> 0;
    c0 = (highB ^ c1 ^ k0) >>> 0;
    c1 = lowB;
    c2 = (highA ^ c3 ^ k1) >>> 0;
    c3 = lowA;
    k0 = (k0 + weylA) >>> 0;
    k1 = (k1 + weylB) >>> 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/** High 32 bits of an unsigned 32 x 32 product. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const cross = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(cross / 0x10000)) >>> 0;
}
