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
}

export const nonFiniteBits = 0x7f800000;
const fixedPointUnit = 2 ** 24;
/** Larger sums of one shard count as no number: 2^12 shards of them still fit into int64. */
const fixedPointMax = 2 ** 27;
export const notANumber = -(2n ** 63n);

const fixedBytes = 80;
export const announcedTensorsMax = Math.floor((payloadBytesMax - fixedBytes) / 4);

/** Rounds one shard's value to units of 2^-24. */
export function toFixedPoint(value: number): bigint {
  if (!(Math.abs(value) <= fixedPointMax)) return notANumber;
  return BigInt(Math.round(value * fixedPointUnit));
}

export function addFixedPoint(a: bigint, b: bigint): bigint {
  return a === notANumber || b === notANumber ? notANumber : a + b;
}

export function fromFixedPoint(value: bigint): number {
  return value === notANumber ? Number.NaN : Number(value) / fixedPointUnit;
}

export function encodeAnnouncement(announcement: Announcement): Uint8Array {
  const { maxima } = announcement;
  const bytes = Buffer.alloc(fixedBytes + 4 * maxima.length);
  bytes.writeUInt32LE(announcement.acknowledgedPlan, 0);
  bytes.writeUInt32LE(maxima.length, 4);
  bytes.writeBigInt64LE(announcement.count, 8);
  bytes.writeBigInt64LE(announcement.weight, 16);
  bytes.writeBigInt64LE(announcement.loss, 24);
  bytes.writeBigInt64LE(announcement.correct, 32);
  bytes.write(announcement.tensorSet, 40, 'hex');
  for (const [i, bits] of maxima.entries()) bytes.writeUInt32LE(bits, fixedBytes + 4 * i);
  return bytes;
}

/** Throws ProtocolViolation when the lengths disagree. */
export function decodeAnnouncement(payload: Uint8Array): Announcement {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  const tensors = bytes.length >= fixedBytes ? bytes.readUInt32LE(4) : 0;
  if (bytes.length !== fixedBytes + 4 * tensors) {
    throw new ThawError(
      'ProtocolViolation',
      `an announcement of ${tensors} tensors has ${bytes.length} bytes; it has to have ${fixedBytes + 4 * tensors}`,
    );
  }
  return {
    acknowledgedPlan: bytes.readUInt32LE(0),
    count: bytes.readBigInt64LE(8),
    weight: bytes.readBigInt64LE(16),
    loss: bytes.readBigInt64LE(24),
    correct: bytes.readBigInt64LE(32),
    tensorSet: bytes.toString('hex', 40, 72),
    maxima: Uint32Array.from({ length: tensors }, (_, i) => bytes.readUInt32LE(fixedBytes + 4 * i)),
  };
}
