// What a member holds of one step: what everybody announced, its own parts, the sums so far, and who gave what. Bits
// are set before anything is added, so a frame that comes again changes nothing.

import type { Announcement } from '@thaw/proto/frames/announcement.ts';
import type { ChunkPlace, Geometry } from './geometry.ts';
import type { Scale } from './scale.ts';
import { writeSum } from './vector-kernels.ts';

/** The two vectors of one step; the caller gives the pair of the step's parity, free of any earlier use. */
export interface StepBuffers {
  /** This member's shards, added up: written by compute, read here. */
  readonly parts: Int32Array;
  readonly sums: Int32Array;
}

export interface Heard {
  readonly bytes: Uint8Array;
  readonly announcement: Announcement;
}

export interface StepRecord extends StepBuffers {
  readonly step: number;
  readonly self: number;
  readonly geometry: Geometry;
  /** By member; this member's own is there from the start. */
  readonly heard: (Heard | null)[];
  scale: Scale | null;
  /** Parts that compute has written, as a count along the send order. */
  made: number;
  /** By chunk: this member's part is written. */
  readonly isMade: Uint8Array;
  /** By chunk: the sum is held. */
  readonly isHeld: Uint8Array;
  held: number;
  /** By chunk of the own slice and source: the part has been added. */
  readonly arrived: Uint8Array;
  /** By chunk of the own slice: how many parts have been added. */
  readonly contributions: Uint16Array;
  /** By slice: the first chunk that was not sent to its owner yet. */
  readonly sent: Int32Array;
  done: boolean;
}

export function newRecord(step: number, self: number, geometry: Geometry, buffers: StepBuffers): StepRecord {
  const ownChunks = geometry.slices[self]?.chunks ?? 0;
  return {
    ...buffers,
    step,
    self,
    geometry,
    heard: Array.from({ length: geometry.members }, () => null),
    scale: null,
    made: 0,
    isMade: new Uint8Array(geometry.chunks),
    isHeld: new Uint8Array(geometry.chunks),
    held: 0,
    arrived: new Uint8Array(ownChunks * geometry.members),
    contributions: new Uint16Array(ownChunks),
    sent: new Int32Array(geometry.slices.length),
    done: false,
  };
}

export function chunkNumber({ slices }: Geometry, slice: number, chunk: number): number {
  return (slices[slice]?.firstChunk ?? 0) + chunk;
}

/** Adds a part of the own slice, once per source. True when the chunk's sum became complete by it. */
export function addPart(record: StepRecord, source: number, place: ChunkPlace, part: Int32Array): boolean {
  const { self, geometry, arrived, contributions, parts, sums } = record;
  const bit = place.chunk * geometry.members + source;
  if (arrived[bit]) return false;
  arrived[bit] = 1;
  const before = contributions[place.chunk] as number;
  contributions[place.chunk] = before + 1;
  if (before === 0) {
    if (source !== self || geometry.members === 1) sums.set(part, place.start);
  } else {
    // The own part waits where compute has put it: its copy to the sums is saved.
    const isOwnAlone = before === 1 && source !== self && arrived[place.chunk * geometry.members + self];
    const soFar = (isOwnAlone ? parts : sums).subarray(place.start, place.end);
    writeSum(sums, place.start, soFar, part);
  }
  if (before + 1 < geometry.members) return false;
  hold(record, chunkNumber(geometry, place.slice, place.chunk));
  return true;
}

/** Keeps a sum that its owner, or a peer, has sent. False when it was held already. */
export function keepSum(record: StepRecord, place: ChunkPlace, sum: Int32Array): boolean {
  const number = chunkNumber(record.geometry, place.slice, place.chunk);
  if (record.isHeld[number]) return false;
  record.sums.set(sum, place.start);
  hold(record, number);
  return true;
}

function hold(record: StepRecord, number: number): void {
  record.isHeld[number] = 1;
  record.held += 1;
}

/** True when this slice's next chunk is made and within the window; it counts as sent from then on. */
export function takeNextPart(record: StepRecord, slice: number): number | null {
  const { geometry, sent } = record;
  const next = sent[slice] as number;
  if (next >= (geometry.slices[slice]?.chunks ?? 0)) return null;
  if (!record.isMade[chunkNumber(geometry, slice, next)]) return null;
  const clock = next - geometry.windowChunks;
  if (clock >= 0 && !record.isHeld[chunkNumber(geometry, slice, clock)]) return null;
  sent[slice] = next + 1;
  return next;
}
