// How a vector is cut for one generation: slices, each summed by one owner, and chunks, each one frame. A pure function
// of the vector's length and the number of members, so every member cuts alike.

import { payloadBytesMax } from '@thaw/proto/frames/frame.ts';

export interface Slice {
  /** Equal to the index of the member that sums it. */
  readonly owner: number;
  readonly start: number;
  readonly end: number;
  readonly chunks: number;
  /** Number of this slice's first chunk among all chunks. */
  readonly firstChunk: number;
}

export interface Geometry {
  readonly length: number;
  readonly members: number;
  readonly slices: readonly Slice[];
  readonly chunkElements: number;
  readonly chunks: number;
  /** Chunk c + windowChunks of a slice goes out when the sum of chunk c is held. */
  readonly windowChunks: number;
}

export interface GeometryOptions {
  /** Smallest slice worth an owner of its own. */
  readonly sliceBytesMin: number;
  /** Largest frame payload; at most payloadBytesMax. */
  readonly frameBytes: number;
  /** Largest window; a smaller one where 2 (N-1) windows would fill the broker's buffer for one receiver. */
  readonly windowChunks: number;
  /** The broker's limit on bytes waiting for one client; nats-server's default is 64 MiB. */
  readonly maxPendingBytes: number;
}

export const geometryDefaults: GeometryOptions = {
  sliceBytesMin: 256 * 1024,
  frameBytes: payloadBytesMax,
  windowChunks: 8,
  maxPendingBytes: 64 * 1024 * 1024,
};

const elementBytes = 4;
const windowChunksWanted = 2;
const frameBytesMin = 4096;

export function geometryOf(length: number, members: number, options: GeometryOptions = geometryDefaults): Geometry {
  const owners = Math.min(members, Math.ceil((length * elementBytes) / options.sliceBytesMin));
  const { chunkElements, windowChunks } = windowFor(members, options);
  const startOf = (owner: number): number => roundDown((length * owner) / owners);
  const slices: Slice[] = [];
  let firstChunk = 0;
  for (let owner = 0; owner < owners; owner++) {
    const start = startOf(owner);
    const end = owner + 1 < owners ? startOf(owner + 1) : length;
    const chunks = Math.ceil((end - start) / chunkElements);
    slices.push({ owner, start, end, chunks, firstChunk });
    firstChunk += chunks;
  }
  return { length, members, slices, chunkElements, chunks: firstChunk, windowChunks };
}

/**
 * To an even element, so that slices and chunks lie as received payloads do, aligned to 8 bytes: V8 copies between
 * differently aligned vectors byte by byte when one of them is shared memory.
 */
function roundDown(element: number): number {
  return Math.floor(element / 2) * 2;
}

/** The largest frame and window with 2 (N-1) x window x frame <= a quarter of the broker's buffer. */
function windowFor(members: number, options: GeometryOptions): { chunkElements: number; windowChunks: number } {
  const underWayBytesMax = options.maxPendingBytes / 4;
  const peers = Math.max(1, 2 * (members - 1));
  let frameBytes = options.frameBytes;
  while (frameBytes > frameBytesMin && peers * windowChunksWanted * frameBytes > underWayBytesMax) frameBytes /= 2;
  const fitting = Math.floor(underWayBytesMax / (peers * frameBytes));
  const windowChunks = Math.max(1, Math.min(options.windowChunks, fitting));
  return { chunkElements: Math.max(1, Math.floor(frameBytes / elementBytes)), windowChunks };
}

export interface ChunkBounds {
  readonly start: number;
  readonly end: number;
}

export function chunkBounds({ chunkElements }: Geometry, slice: Slice, chunk: number): ChunkBounds {
  const start = slice.start + chunk * chunkElements;
  return { start, end: Math.min(slice.end, start + chunkElements) };
}

export interface ChunkPlace extends ChunkBounds {
  readonly slice: number;
  readonly chunk: number;
}

/** The order in which a member makes and sends its parts: chunk by chunk over all slices, others' slices first. */
export function sendOrder(geometry: Geometry, self: number): ChunkPlace[] {
  const { slices } = geometry;
  const order: ChunkPlace[] = [];
  const rounds = Math.max(0, ...slices.map(({ chunks }) => chunks));
  for (let chunk = 0; chunk < rounds; chunk++) {
    for (let i = 1; i <= slices.length; i++) {
      const index = (self + i) % slices.length;
      const slice = slices[index];
      if (slice && chunk < slice.chunks) order.push({ slice: index, chunk, ...chunkBounds(geometry, slice, chunk) });
    }
  }
  return order;
}
