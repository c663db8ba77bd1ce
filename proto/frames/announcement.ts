// What a member says about its step before any gradient travels: per tensor the largest magnitude over its single
// shards, and sums in fixed point, so that adding them in any order and any grouping gives the same bits.

import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { payloadBytesMax } from './frame.ts';

export interface Announcement {
  readonly acknowledgedPlan: number;
  readonly count: bigint;
  /** Sums in units of 2^-24; notANumber when a shard's value was no number or too large. */
  readonly weight: bigint;
  readonly loss: bigint;
  readonly correct: bigint;
  /** sha256 of the stage's tensor names and shapes, 64 hex digits. */
  readonly tensorSet: string;
  /** Per tensor of the layout: bits of the largest |g|; >= nonFiniteBits means NaN or infinity. */
  readonly maxima: Uint32Array;
  /** Sums of batch statistics in the stage's fixed point, notANumber as above; empty where none are measured. */
  readonly statistics: BigInt64Array;
}

export const nonFiniteBits = 0x7f800000;
/** Losses and weights are summed in units of 2^-24, in announcements and reports alike (protocol section 3). */
export const fixedPointScale = 2 ** 24;
/** Larger sums of one shard count as no number: 2^12 shards of them still fit into int64. */
const fixedPointMax = 2 ** 27;
export const notANumber = -(2n ** 63n);

const fixedBytes = 80;
const announcedBytesMax = payloadBytesMax - fixedBytes;

/** Whether the maxima of so many tensors and so many statistics fit into one frame. */
export function fitsAnnouncement({ tensors, statistics }: { tensors: number; statistics: number }): boolean {
  return 4 * tensors + 8 * statistics <= announcedBytesMax;
}

/** Rounds one shard's value to units of 2^-24. */
export function toFixedPoint(value: number): bigint {
  if (!(Math.abs(value) <= fixedPointMax)) return notANumber;
  return BigInt(Math.round(value * fixedPointScale));
}

export function addFixedPoint(a: bigint, b: bigint): bigint {
  return a === notANumber || b === notANumber ? notANumber : a + b;
}

/** Element by element; the vectors have one length. No vector gives none. */
export function sumVectors([first, ...others]: readonly BigInt64Array[]): BigInt64Array {
  const sum = BigInt64Array.from(first ?? []);
  for (const vector of others) {
    for (let i = 0; i < sum.length; i++) sum[i] = addFixedPoint(sum[i] as bigint, vector[i] as bigint);
  }
  return sum;
}

export function fromFixedPoint(value: bigint): number {
  return value === notANumber ? Number.NaN : Number(value) / fixedPointScale;
}

export function encodeAnnouncement(announcement: Announcement): Uint8Array {
  const { maxima, statistics } = announcement;
  const bytes = Buffer.alloc(fixedBytes + 4 * maxima.length + 8 * statistics.length);
  bytes.writeUInt32LE(announcement.acknowledgedPlan, 0);
  bytes.writeUInt32LE(maxima.length, 4);
  bytes.writeBigInt64LE(announcement.count, 8);
  bytes.writeBigInt64LE(announcement.weight, 16);
  bytes.writeBigInt64LE(announcement.loss, 24);
  bytes.writeBigInt64LE(announcement.correct, 32);
  bytes.write(announcement.tensorSet, 40, 'hex');
  bytes.writeUInt32LE(statistics.length, 72);
  for (const [i, bits] of maxima.entries()) bytes.writeUInt32LE(bits, fixedBytes + 4 * i);
  bytes.set(bytesOf(statistics), fixedBytes + 4 * maxima.length);
  return bytes;
}

/** Throws ProtocolViolation when the lengths disagree. */
export function decodeAnnouncement(payload: Uint8Array): Announcement {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  const tensors = bytes.length >= fixedBytes ? bytes.readUInt32LE(4) : 0;
  const statisticsCount = bytes.length >= fixedBytes ? bytes.readUInt32LE(72) : 0;
  const statisticsAt = fixedBytes + 4 * tensors;
  const expected = statisticsAt + 8 * statisticsCount;
  if (bytes.length !== expected) {
    throw new ThawError(
      'ProtocolViolation',
      `an announcement of ${tensors} tensors and ${statisticsCount} statistics has ${bytes.length} bytes; it has to have ${expected}`,
    );
  }
  const statistics = new BigInt64Array(statisticsCount);
  bytesOf(statistics).set(bytes.subarray(statisticsAt));
  return {
    acknowledgedPlan: bytes.readUInt32LE(0),
    count: bytes.readBigInt64LE(8),
    weight: bytes.readBigInt64LE(16),
    loss: bytes.readBigInt64LE(24),
    correct: bytes.readBigInt64LE(32),
    tensorSet: bytes.toString('hex', 40, 72),
    maxima: Uint32Array.from({ length: tensors }, (_, i) => bytes.readUInt32LE(fixedBytes + 4 * i)),
    statistics,
  };
}

/** Little-endian, as every machine that TensorFlow runs on. */
function bytesOf({ buffer, byteOffset, byteLength }: BigInt64Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
