// The safetensors format: 8 bytes of header length, a JSON header, then the tensors' bytes. Written with sorted names
// and an aligned header, so that equal tensors give equal files. A hostile header is refused before memory is taken.
// Format: https://huggingface.co/docs/safetensors

import { invariant, ThawError } from '../errors/thaw-error.ts';
import { compareNames } from '../model/tensor-layout.ts';

export type TensorData = Float32Array | Int32Array | Float64Array | BigInt64Array;

export interface NamedTensor<Data extends TensorData = TensorData> {
  readonly shape: readonly number[];
  readonly data: Data;
}

export interface SafetensorsFile {
  readonly tensors: ReadonlyMap<string, NamedTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

const headerBytesMax = 64 * 1024 * 1024;
const alignment = 8;

const types = { F32: Float32Array, I32: Int32Array, F64: Float64Array, I64: BigInt64Array } as const;
type TypeName = keyof typeof types;

function typeName(data: TensorData): TypeName {
  if (data instanceof Float32Array) return 'F32';
  if (data instanceof Int32Array) return 'I32';
  return data instanceof Float64Array ? 'F64' : 'I64';
}

export function writeSafetensors(
  tensors: ReadonlyMap<string, NamedTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const names = [...tensors.keys()].sort(compareNames);
  const entries: [string, unknown][] = [['__metadata__', metadata]];
  let offset = 0;
  for (const name of names) {
    invariant(name !== '__metadata__', 'a tensor has the name that the format keeps for itself');
    const { shape, data } = tensors.get(name) as NamedTensor;
    entries.push([name, { dtype: typeName(data), shape, data_offsets: [offset, offset + data.byteLength] }]);
    offset += data.byteLength;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const headerBytes = Math.ceil(json.length / alignment) * alignment;
  const file = new Uint8Array(8 + headerBytes + offset);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerBytes), true);
  file.fill(0x20, 8, 8 + headerBytes);
  file.set(json, 8);
  let at = 8 + headerBytes;
  for (const name of names) {
    const { data } = tensors.get(name) as NamedTensor;
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return file;
}

/** `what` names the file in errors. Throws ModelInvalid. */
export function readSafetensors(file: Uint8Array, what: string): SafetensorsFile {
  const { header, start } = readHeader(file, what);
  const bytes = file.subarray(start);
  let metadata: Readonly<Record<string, string>> = {};
  const entries: Entry[] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') metadata = metadataOf(entry, what);
    else entries.push({ name, ...readEntry(bytes, entry, `${what}: ${name}`) });
  }
  // Before anything is copied: entries that overlap could ask for many times the file.
  requireNoHoles(
    entries.map(({ range }) => range),
    bytes.length,
    what,
  );
  return { tensors: new Map(entries.map((entry) => [entry.name, tensorOf(bytes, entry)])), metadata };
}

interface Entry {
  readonly name: string;
  readonly type: TypeName;
  readonly shape: readonly number[];
  readonly range: Range;
}

type Range = readonly [begin: number, end: number];

/** Every byte belongs to exactly one tensor, as the format demands: nothing overlaps and nothing is hidden between. */
function requireNoHoles(ranges: Range[], length: number, what: string): void {
  let reached = 0;
  for (const [begin, end] of ranges.sort(([a, b], [c, d]) => a - c || b - d)) {
    if (begin !== reached) throw invalid(what, `a tensor at byte ${begin}`, `the next one at byte ${reached}`);
    reached = end;
  }
  if (reached !== length) throw invalid(what, `${length} bytes of tensors`, `${reached}`);
}

function metadataOf(entry: unknown, what: string): Readonly<Record<string, string>> {
  const isText = (value: unknown): boolean => typeof value === 'string';
  if (isObject(entry) && Object.values(entry).every(isText)) return entry as Record<string, string>;
  throw invalid(what, 'malformed __metadata__', 'texts by name');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** Reads a file that may hold float32 tensors only, but for those that `isIgnored` leaves out by their names. */
export function readFloatTensors(
  file: Uint8Array,
  what: string,
  isIgnored: (name: string) => boolean = () => false,
): ReadonlyMap<string, NamedTensor<Float32Array>> {
  const tensors = new Map<string, NamedTensor<Float32Array>>();
  for (const [name, { shape, data }] of readSafetensors(file, what).tensors) {
    if (isIgnored(name)) continue;
    if (!(data instanceof Float32Array)) throw invalid(`${what}: ${name}`, 'another type', 'F32');
    tensors.set(name, { shape, data });
  }
  return tensors;
}

function readHeader(file: Uint8Array, what: string): { header: Record<string, unknown>; start: number } {
  if (file.length < 8) throw invalid(what, `${file.length} bytes`, 'a safetensors file');
  const declared = new DataView(file.buffer, file.byteOffset).getBigUint64(0, true);
  if (declared > BigInt(Math.min(headerBytesMax, file.length - 8))) {
    throw invalid(what, `a header of ${declared} bytes in a file of ${file.length}`, 'a whole safetensors file');
  }
  const start = 8 + Number(declared);
  try {
    const header: unknown = JSON.parse(new TextDecoder().decode(file.subarray(8, start)));
    if (isObject(header)) return { header, start };
  } catch {
    // said below
  }
  throw invalid(what, 'a header that is no JSON object', 'a safetensors file');
}

function readEntry(bytes: Uint8Array, entry: unknown, what: string): Omit<Entry, 'name'> {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
  const type = Object.hasOwn(types, String(dtype)) ? types[dtype as TypeName] : undefined;
  if (!type) throw invalid(what, `dtype ${JSON.stringify(dtype)}`, Object.keys(types).join(', '));
  if (!isSizes(shape) || !isSizes(offsets) || offsets.length !== 2)
    throw invalid(what, 'a malformed entry', 'shape and data_offsets');
  const [begin = 0, end = 0] = offsets;
  const expected = shape.reduce((product, size) => product * size, type.BYTES_PER_ELEMENT);
  if (end > bytes.length || end - begin !== expected) {
    throw invalid(what, `bytes ${begin}..${end} of ${bytes.length}`, `${expected} bytes for shape [${shape}]`);
  }
  return { type: dtype as TypeName, shape, range: [begin, end] };
}

function tensorOf(bytes: Uint8Array, { type, shape, range: [begin, end] }: Entry): NamedTensor {
  // Not slice(), which gives a view where the bytes are a Buffer.
  const copy = new Uint8Array(bytes.subarray(begin, end));
  return { shape, data: new types[type](copy.buffer) };
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function invalid(what: string, found: string, expected: string): ThawError {
  return new ThawError('ModelInvalid', `${what}: found ${found}; expected ${expected}`);
}
