// One file of rows on disk. A pack is only ever appended to, by one process, a block at a time:
//
//   pack   = magic "THAWROWS", u32 version, u32 rowBytes, 32 bytes level key, checksum of these
//   block  = magic "BLCK", u32 count, count x (sample key, checksum of key and row), checksum of these, count x row
//
// Little endian; a checksum is the first 16 bytes of a sha256. A pack that ends in half a block, or in zeros, was left by
// a process that was killed: what comes before is good. docs/cache.md says where packs lie.

import { createHash } from 'node:crypto';
import { readSync, writeSync } from 'node:fs';
import { sampleKeyBytes } from './sample-key.ts';

const packVersion = 1;
const packMagic = 'THAWROWS';
const blockMagic = 'BLCK';
const checksumBytes = 16;
const keyAt = 16;
export const packHeaderBytes = 48 + checksumBytes;
const blockStartBytes = 8;
const entryBytes = sampleKeyBytes + checksumBytes;
const blockRowsMax = 4096;

export interface PackedRow {
  /** 32 hex digits. */
  readonly sample: string;
  readonly row: Uint8Array;
}

/** Where a row lies in its pack. */
export interface PackPlace {
  readonly offset: number;
  readonly checksum: Buffer;
}

export interface PackKind {
  /** 64 hex digits. */
  readonly levelKey: string;
  readonly rowBytes: number;
}

export function packHeader({ levelKey, rowBytes }: PackKind): Buffer {
  const header = Buffer.alloc(packHeaderBytes);
  header.write(packMagic, 0, 'latin1');
  header.writeUInt32LE(packVersion, 8);
  header.writeUInt32LE(rowBytes, 12);
  header.write(levelKey, keyAt, 'hex');
  checksum(header.subarray(0, 48)).copy(header, 48);
  return header;
}

export function packBlockBytes(rows: number, rowBytes: number): number {
  return blockStartBytes + rows * (entryBytes + rowBytes) + checksumBytes;
}

/** Writes a block and returns the places of its rows. */
export function writePackBlock(file: number, start: number, rows: readonly PackedRow[]): Map<string, PackPlace> {
  const indexBytes = blockStartBytes + rows.length * entryBytes;
  const index = Buffer.alloc(indexBytes + checksumBytes);
  index.write(blockMagic, 0, 'latin1');
  index.writeUInt32LE(rows.length, 4);
  const places = new Map<string, PackPlace>();
  let offset = start + index.length;
  for (const [i, { sample, row }] of rows.entries()) {
    const at = blockStartBytes + i * entryBytes;
    const sum = rowChecksum(sample, row);
    index.write(sample, at, 'hex');
    sum.copy(index, at + sampleKeyBytes);
    places.set(sample, { offset, checksum: sum });
    offset += row.length;
  }
  checksum(index.subarray(0, indexBytes)).copy(index, indexBytes);
  // The index last: whoever reads this pack meanwhile sees no block, or a whole one.
  writeWhole(file, Buffer.concat(rows.map(({ row }) => row)), start + index.length);
  writeWhole(file, index, start);
  return places;
}

export function writeWhole(file: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(file, bytes, done, bytes.length - done, position + done);
  }
}

export interface PackIndex {
  readonly places: ReadonlyMap<string, PackPlace>;
  /** What is wrong with the pack, from some place on; null for a whole one. */
  readonly damage: string | null;
  /** It ends in a block that was never finished, or is being written. */
  readonly unfinished: boolean;
}

/** Reads the indices of a pack's blocks, not its rows. */
export function indexPack(file: number, fileBytes: number, kind: PackKind): PackIndex {
  const places = new Map<string, PackPlace>();
  const header = readBytes(file, 0, packHeaderBytes);
  if (!header?.equals(packHeader(kind))) {
    return { places, damage: 'its header is not one of this version and level', unfinished: false };
  }
  for (let start = packHeaderBytes; start < fileBytes; ) {
    const rows = blockIndex(file, start);
    const next = start + packBlockBytes(rows?.length ?? 0, kind.rowBytes);
    if (!rows || next > fileBytes) {
      const unfinished = readBytes(file, start, blockStartBytes)?.every((byte) => byte === 0) ?? true;
      return { places, damage: `the block at byte ${start} is not whole`, unfinished };
    }
    const first = next - rows.length * kind.rowBytes;
    for (const [i, { sample, sum }] of rows.entries()) {
      places.set(sample, { offset: first + i * kind.rowBytes, checksum: sum });
    }
    start = next;
  }
  return { places, damage: null, unfinished: false };
}

function blockIndex(file: number, start: number): { sample: string; sum: Buffer }[] | null {
  const begin = readBytes(file, start, blockStartBytes);
  const count = begin?.readUInt32LE(4) ?? 0;
  if (!begin || begin.toString('latin1', 0, 4) !== blockMagic || count < 1 || count > blockRowsMax) return null;
  const indexBytes = blockStartBytes + count * entryBytes;
  const index = readBytes(file, start, indexBytes + checksumBytes);
  if (!index?.subarray(indexBytes).equals(checksum(index.subarray(0, indexBytes)))) return null;
  return Array.from({ length: count }, (_, i) => {
    const at = blockStartBytes + i * entryBytes;
    const sumAt = at + sampleKeyBytes;
    return { sample: index.toString('hex', at, sumAt), sum: index.subarray(sumAt, sumAt + checksumBytes) };
  });
}

/** The row, or null when its checksum refuses it. */
export function readPackRow(file: number, sample: string, place: PackPlace, rowBytes: number): Uint8Array | null {
  const row = readBytes(file, place.offset, rowBytes);
  return row && rowChecksum(sample, row).equals(place.checksum) ? row : null;
}

/** Null past the end of the file. */
function readBytes(file: number, position: number, length: number): Buffer | null {
  const bytes = Buffer.allocUnsafeSlow(length);
  for (let done = 0; done < length; ) {
    const read = readSync(file, bytes, done, length - done, position + done);
    if (read === 0) return null;
    done += read;
  }
  return bytes;
}

function checksum(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest().subarray(0, checksumBytes);
}

function rowChecksum(sample: string, row: Uint8Array): Buffer {
  return createHash('sha256').update(sample, 'hex').update(row).digest().subarray(0, checksumBytes);
}
