// The binary frame that carries a step between trainers (protocol section 4): a fixed little-endian header, then at
// most payloadBytesMax of payload, under one crc32. The run token and the sender's incarnation are looked at before
// anything else, so a stranger's bytes can do no more than be counted.

import { crc32 } from 'node:zlib';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';

const frameVersion = 2;
export const headerBytes = 48;
/** A multiple of 8, so that int32 payloads lie aligned behind the header. */
export const payloadBytesMax = 512 * 1024;
const magic = 0x57414854; // "THAW"
const crcAt = 44;

export const phases = { announce: 1, part: 2, sum: 3, nack: 4 } as const;
export type Phase = (typeof phases)[keyof typeof phases];

export interface FrameHeader {
  /** 64 bits, see identity64. */
  readonly runToken: bigint;
  readonly incarnation: bigint;
  readonly generation: number;
  readonly step: number;
  readonly phase: Phase;
  /** Index of the sender in its generation's members. */
  readonly source: number;
  readonly slice: number;
  /** First element of the vector in this frame. */
  readonly offset: number;
  /** Elements of the vector in this frame; for announcements and NACKs, bytes of the payload. */
  readonly count: number;
  /** Stage of the job, whose steps these are: two stages may count the same step. */
  readonly stage: number;
}

export interface Frame extends FrameHeader {
  /** View into the receive buffer, aligned to 8 bytes, valid only until the next frame is read. */
  readonly payload: Uint8Array;
}

/** Why a frame was dropped; a closed list, because it labels a counter. */
export type RefusalReason =
  | 'notAFrame'
  | 'foreignToken'
  | 'unknownIncarnation'
  | 'versionUnknown'
  | 'corrupt'
  | 'staleGeneration'
  | 'malformed'
  | 'staleStep'
  | 'aheadStep';

export interface Refusal {
  readonly refused: RefusalReason;
  /** What was found and what would be right. */
  readonly message: string;
}

export interface FrameExpectation {
  readonly runToken: bigint;
  readonly generation: number;
  readonly stage: number;
  /** Incarnations of the members; the index is the only source each of them may claim. */
  readonly incarnations: readonly bigint[];
}

/** Parses 16 hex digits, as run tokens and incarnations are written everywhere else. */
export function identity64(hex: string, what: string): bigint {
  if (!/^[0-9a-f]{16}$/i.test(hex)) {
    throw new ThawError('ProtocolViolation', `the ${what} is "${hex}"; it has to be 16 hex digits`);
  }
  return BigInt(`0x${hex}`);
}

/** The header for this payload, checksum included. Send it directly in front of the payload. */
export function encodeHeader(header: FrameHeader, payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(headerBytes);
  bytes.writeUInt32LE(magic, 0);
  bytes.writeBigUInt64LE(header.runToken, 4);
  bytes.writeBigUInt64LE(header.incarnation, 12);
  bytes.writeUInt8(frameVersion, 20);
  bytes.writeUInt8(header.phase, 21);
  bytes.writeUInt16LE(header.stage, 22);
  bytes.writeUInt32LE(header.generation, 24);
  bytes.writeUInt32LE(header.step, 28);
  bytes.writeUInt16LE(header.source, 32);
  bytes.writeUInt16LE(header.slice, 34);
  bytes.writeUInt32LE(header.offset, 36);
  bytes.writeUInt32LE(header.count, 40);
  bytes.writeUInt32LE(crc32(payload, crc32(bytes.subarray(0, crcAt))), crcAt);
  return bytes;
}

/** Reads a frame in the order of the fences: token, incarnation, version, checksum, generation, stage. */
export function decodeFrame(bytes: Uint8Array, expected: FrameExpectation): Frame | Refusal {
  if (bytes.length < headerBytes)
    return refuse('notAFrame', `${bytes.length} bytes; a frame has ${headerBytes} or more`);
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.readUInt32LE(0) !== magic) return refuse('notAFrame', 'the first four bytes are not "THAW"');
  const runToken = view.readBigUInt64LE(4);
  if (runToken !== expected.runToken) return refuse('foreignToken', 'the frame belongs to another run');
  const incarnation = view.readBigUInt64LE(12);
  const source = expected.incarnations.indexOf(incarnation);
  if (source < 0) return refuse('unknownIncarnation', `no member has incarnation ${incarnation.toString(16)}`);
  const version = view.readUInt8(20);
  if (version !== frameVersion) {
    return refuse('versionUnknown', `frame version ${version}; this Thaw knows version ${frameVersion}`);
  }
  const payload = bytes.subarray(headerBytes);
  if (crc32(payload, crc32(bytes.subarray(0, crcAt))) !== view.readUInt32LE(crcAt)) {
    return refuse('corrupt', `the checksum of a frame from member ${source} does not match`);
  }
  const generation = view.readUInt32LE(24);
  if (generation !== expected.generation) {
    return refuse('staleGeneration', `generation ${generation}; this member is in ${expected.generation}`);
  }
  const frame: Frame = {
    runToken,
    incarnation,
    generation,
    step: view.readUInt32LE(28),
    phase: view.readUInt8(21) as Phase,
    source: view.readUInt16LE(32),
    slice: view.readUInt16LE(34),
    offset: view.readUInt32LE(36),
    count: view.readUInt32LE(40),
    stage: view.readUInt16LE(22),
    payload,
  };
  if (frame.source !== source) return refuse('malformed', `member ${source} claims to be member ${frame.source}`);
  if (frame.stage !== expected.stage) {
    const refused = frame.stage < expected.stage ? 'staleStep' : 'aheadStep';
    return refuse(refused, `a step of stage ${frame.stage}; this member is in stage ${expected.stage}`);
  }
  if (payload.length > payloadBytesMax) return refuse('malformed', `payload of ${payload.length} bytes`);
  if (frame.phase < phases.announce || frame.phase > phases.nack) return refuse('malformed', `phase ${frame.phase}`);
  return frame;
}

function refuse(refused: RefusalReason, message: string): Refusal {
  return { refused, message };
}
