// Opens a `.keras` archive: a zip of config.json, metadata.json and model.weights.h5. Number, names, sizes and ratios of
// the entries are checked before anything is unpacked, checksums afterwards. Nothing is written to disk: stored weights are
// read where they lie in the archive, compressed ones are unpacked into memory.

import { crc32 } from 'node:zlib';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import yauzl from 'yauzl';
import { type Bytes, bytesInMemory, type OpenFile } from './keras-bytes.ts';
import { parseModelJson } from './model-file.ts';

const entriesMax = 1000;
const textBytesMax = 64 * 1024 * 1024;
const unpackedBytesMax = 4 * 1024 * 1024 * 1024 - 1;
/** JSON shrinks to a thirtieth, weights hardly at all. */
const ratioMax = 200;
const readBytes = 1024 * 1024;

export interface KerasArchive {
  readonly config: unknown;
  /** Version of Keras, and what else its writer wanted to say. */
  readonly metadata: unknown;
  /** The HDF5 file; readable while `file` is open. */
  readonly weights: Bytes;
}

/** Throws ModelInvalid. */
export async function openKerasArchive(file: OpenFile, what: string): Promise<KerasArchive> {
  const zip = await damageIsSaid(what, () =>
    yauzl.fromFdPromise(file.descriptor, { autoClose: false, strictFileNames: true }),
  );
  const entries = await damageIsSaid(what, () => checkedEntries(zip, what));
  const text = async (name: string): Promise<unknown> => {
    const entry = entryOf(entries, name, what);
    if (entry.uncompressedSize > textBytesMax) throw tooLarge(what, entry, textBytesMax);
    return parseModelJson(Buffer.from(await unpacked(zip, entry, what)).toString('utf8'), `${what}: ${name}`);
  };
  const config = await text('config.json');
  const metadata = await text('metadata.json');
  const weights = entryOf(entries, 'model.weights.h5', what);
  if (weights.compressionMethod !== 0) {
    return { config, metadata, weights: bytesInMemory(await unpacked(zip, weights, what)) };
  }
  const { fileDataStart } = await damageIsSaid(what, () => zip.readLocalFileHeaderPromise(weights, { minimal: true }));
  const stored = file.part(fileDataStart, weights.uncompressedSize);
  requireChecksum(checksum(stored), weights, what);
  return { config, metadata, weights: stored };
}

async function checkedEntries(zip: yauzl.ZipFile, what: string): Promise<Map<string, yauzl.Entry>> {
  if (zip.entryCount > entriesMax) {
    throw invalid(`${what}: found ${zip.entryCount} entries; expected at most ${entriesMax}`);
  }
  const entries = new Map<string, yauzl.Entry>();
  for await (const entry of zip.eachEntry()) {
    const { fileName, compressedSize, uncompressedSize } = entry;
    if (entries.has(fileName)) throw invalid(`${what}: found two entries called ${fileName}; expected one`);
    if (uncompressedSize > compressedSize * ratioMax) {
      throw invalid(
        `${what}: ${fileName}: found ${uncompressedSize} bytes packed into ${compressedSize}; expected at most ${ratioMax} times as many`,
      );
    }
    if (!entry.canDecodeFileData()) {
      throw invalid(
        `${what}: ${fileName}: found an encrypted entry or an unknown packing; expected stored or deflated`,
      );
    }
    entries.set(fileName, entry);
  }
  return entries;
}

function entryOf(entries: ReadonlyMap<string, yauzl.Entry>, name: string, what: string): yauzl.Entry {
  const entry = entries.get(name);
  if (entry) return entry;
  const found = [...entries.keys()].slice(0, 5).join(', ') || 'nothing';
  throw invalid(`${what}: found ${found}; expected ${name} in a .keras archive`);
}

async function unpacked(zip: yauzl.ZipFile, entry: yauzl.Entry, what: string): Promise<Uint8Array> {
  if (entry.uncompressedSize > unpackedBytesMax) throw tooLarge(what, entry, unpackedBytesMax);
  return damageIsSaid(what, async () => {
    const bytes = new Uint8Array(entry.uncompressedSize);
    let at = 0;
    for await (const chunk of await zip.openReadStreamPromise(entry)) {
      bytes.set(chunk as Buffer, at);
      at += (chunk as Buffer).length;
    }
    requireChecksum(crc32(bytes), entry, what);
    return bytes;
  });
}

function checksum(bytes: Bytes): number {
  const piece = new Uint8Array(readBytes);
  let sum = 0;
  for (let at = 0; at < bytes.length; at += piece.length) {
    sum = crc32(piece.subarray(0, bytes.read(piece, at)), sum);
  }
  return sum;
}

function requireChecksum(found: number, { fileName, crc32: expected }: yauzl.Entry, what: string): void {
  if (found !== expected) throw invalid(`${what}: ${fileName}: found checksum ${found}; expected ${expected}`);
}

async function damageIsSaid<T>(what: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (cause instanceof ThawError) throw cause;
    throw new ThawError('ModelInvalid', `${what} is no sound zip archive: ${(cause as Error).message}`, { cause });
  }
}

function tooLarge(what: string, { fileName, uncompressedSize }: yauzl.Entry, max: number): ThawError {
  return invalid(`${what}: ${fileName}: found ${uncompressedSize} bytes; expected at most ${max}`);
}

function invalid(message: string): ThawError {
  return new ThawError('ModelInvalid', message);
}
