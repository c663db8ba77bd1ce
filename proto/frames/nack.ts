// A NACK lists what its sender is missing of one step; the receiver answers with what it holds and ignores the rest.

import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { type Phase, phases } from './frame.ts';

export interface Missing {
  readonly phase: Phase;
  readonly slice: number;
  /** Number of the chunk within its slice; 0 for announcements. */
  readonly chunk: number;
}

/** More than this is asked for by the next NACK. */
export const missingPerNackMax = 1024;
const entryBytes = 12;

export function encodeNack(missing: readonly Missing[]): Uint8Array {
  const bytes = Buffer.alloc(missing.length * entryBytes);
  for (const [i, { phase, slice, chunk }] of missing.entries()) {
    bytes.writeUInt32LE(phase, i * entryBytes);
    bytes.writeUInt32LE(slice, i * entryBytes + 4);
    bytes.writeUInt32LE(chunk, i * entryBytes + 8);
  }
  return bytes;
}

export function decodeNack(payload: Uint8Array): Missing[] {
  const entries = payload.length / entryBytes;
  if (!Number.isInteger(entries) || entries > missingPerNackMax) {
    throw new ThawError(
      'ProtocolViolation',
      `a NACK has ${payload.length} bytes; it has to have a multiple of ${entryBytes}, for at most ${missingPerNackMax}`,
    );
  }
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  return Array.from({ length: entries }, (_, i) => {
    const phase = bytes.readUInt32LE(i * entryBytes);
    if (phase !== phases.announce && phase !== phases.part && phase !== phases.sum) {
      throw new ThawError('ProtocolViolation', `a NACK asks for phase ${phase}; it has to be 1, 2 or 3`);
    }
    return { phase, slice: bytes.readUInt32LE(i * entryBytes + 4), chunk: bytes.readUInt32LE(i * entryBytes + 8) };
  });
}
