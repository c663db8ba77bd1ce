// Reads an HDF5 file that anybody may have written: links, depth, sizes and types are checked before memory is taken, and
// arrays come one after the other, in pieces, from the disk. The HDF5 library sees this one file and no other.

import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { requireFinite } from '@thaw/common/model/finite-weights.ts';
import type { Tensor } from '@thaw/common/model/graph.ts';
import * as hdf5 from 'h5wasm';
import type { Bytes } from './keras-bytes.ts';

const pieceBytes = 16 * 1024 * 1024;
const attributeBytesMax = 64 * 1024 * 1024;
const depthMax = 32;
const openedMax = 200_000;
/** Compressed arrays may be this many times as large as the file. */
const inflationMax = 100;

export interface Group {
  /** From the root, without a slash before it; empty for the root. */
  readonly place: string;
  keys(): string[];
  has(key: string): boolean;
  /** Null where there is none. Throws ModelInvalid for anything but a group. */
  group(key: string): Group | null;
  /** A text, or a list of them in as many attributes `key0`, `key1`, … as Keras needed; null where there is none. */
  attribute(key: string): string | readonly string[] | null;
  isArray(key: string): boolean;
  /** float32 values. Throws ModelInvalid, naming the array. */
  array(key: string): Tensor;
}

/** Opens the file for as long as `use` runs. Throws ModelInvalid. */
export async function withHdf5<T>(bytes: Bytes, what: string, use: (root: Group) => T): Promise<T> {
  const library = await hdf5.ready;
  library.activate_throwing_error_handler();
  const name = mount(library, bytes);
  try {
    const file = damageIsSaid(what, () => new hdf5.File(name, 'r'));
    try {
      return damageIsSaid(what, () => use(new CheckedGroup(file, '', { what, opened: 0, bytesLeft: bytes.length })));
    } finally {
      file.close();
    }
  } finally {
    library.FS.unlink(name);
  }
}

type ReadCall = [stream: unknown, heap: Int8Array, offset: number, length: number, position: number];

let mounted = 0;

/** A file of the library's own file system whose content is read from `bytes` when it is asked for. */
function mount({ FS }: typeof hdf5.Module, bytes: Bytes): string {
  const name = `/${mounted++}.h5`;
  FS.writeFile(name, new Uint8Array());
  const node = FS.lookupPath(name, {}).node as unknown as {
    usedBytes: number;
    stream_ops: Record<string, unknown>;
  };
  node.usedBytes = bytes.length;
  node.stream_ops = {
    ...node.stream_ops,
    read: (...[, heap, offset, length, position]: ReadCall) =>
      bytes.read(new Uint8Array(heap.buffer, heap.byteOffset + offset, length), position),
  };
  return name;
}

/** What the library throws says nothing to a user but its last line. */
function damageIsSaid<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof ThawError) throw cause;
    const lines = (cause instanceof Error ? cause.message : String(cause)).split('\n');
    const deepest = lines.findLast((line) => /^ *#\d+: /.test(line)) ?? lines[0] ?? '';
    const reason = deepest.replace(/^ *#\d+: .*?\(\): /, '');
    throw new ThawError('ModelInvalid', `${what} is no whole HDF5 file: ${reason}`, { cause });
  }
}

/** What one reading may still take. */
interface Budget {
  readonly what: string;
  opened: number;
  bytesLeft: number;
}

class CheckedGroup implements Group {
  readonly #group: hdf5.Group;
  readonly #budget: Budget;
  readonly place: string;

  constructor(group: hdf5.Group, place: string, budget: Budget) {
    this.#group = group;
    this.#budget = budget;
    this.place = place;
    budget.opened += 1;
    if (budget.opened > openedMax) throw invalid(`${budget.what}: found over ${openedMax} groups; expected fewer`);
    if (place.split('/').length > depthMax) {
      throw invalid(`${budget.what}: ${place}: found groups ${depthMax} deep; expected fewer`);
    }
  }

  keys(): string[] {
    return this.#group.keys();
  }

  has(key: string): boolean {
    return this.#group.get(key) !== null;
  }

  group(key: string): Group | null {
    const found = this.#group.get(key);
    if (found === null) return null;
    if (found instanceof hdf5.Group) return new CheckedGroup(found, this.#below(key), this.#budget);
    throw this.#unfit(key, kindOf(found), 'a group');
  }

  attribute(key: string): string | readonly string[] | null {
    const { attrs } = this.#group;
    const pieces = Object.hasOwn(attrs, key) ? [key] : [];
    while (pieces[0] !== key && Object.hasOwn(attrs, `${key}${pieces.length}`)) pieces.push(`${key}${pieces.length}`);
    if (pieces.length === 0) return null;
    const values = pieces.map((piece) => this.#text(attrs[piece] as hdf5.Attribute, key));
    return values.length === 1 && typeof values[0] === 'string' ? values[0] : values.flat();
  }

  #text({ metadata, shape, value }: hdf5.Attribute, key: string): string | readonly string[] {
    const bytes = metadata.size * (metadata.total_size ?? 0);
    if (bytes > attributeBytesMax) throw this.#unfit(key, `an attribute of ${bytes} bytes`, 'a shorter one');
    // Keras writes an empty list as one of numbers.
    if (shape?.includes(0)) return [];
    const isText = (one: unknown): one is string => typeof one === 'string';
    if (isText(value) || (Array.isArray(value) && value.every(isText))) return value;
    throw this.#unfit(key, 'an attribute that is no text', 'text');
  }

  isArray(key: string): boolean {
    return this.#group.get(key) instanceof hdf5.Dataset;
  }

  array(key: string): Tensor {
    const found = this.#group.get(key);
    if (!(found instanceof hdf5.Dataset)) throw this.#unfit(key, kindOf(found), 'an array');
    const { type, size, littleEndian, virtual_sources: elsewhere } = found.metadata;
    // A Normalization's count of samples, the one whole number among the weights.
    if (type === hdf5.Module.H5T_class_t.H5T_INTEGER.value && found.shape?.length === 0) {
      return { shape: [], data: Float32Array.of(Number(found.value)) };
    }
    if (type !== hdf5.Module.H5T_class_t.H5T_FLOAT.value || size !== 4 || !littleEndian) {
      throw this.#unfit(key, `type ${typeof found.dtype === 'string' ? found.dtype : 'compound'}`, 'float32 (<f)');
    }
    if (elsewhere && elsewhere.length > 0) throw this.#unfit(key, 'an array that lies in other files', 'its values');
    const { shape } = found;
    if (!shape) throw this.#unfit(key, 'an array without a shape', 'float32 values');
    const count = shape.reduce((product, length) => product * length, 1);
    const bytes = count * 4;
    this.#budget.bytesLeft -= found.filters.length > 0 ? bytes / inflationMax : bytes;
    if (this.#budget.bytesLeft < 0) {
      throw this.#unfit(key, `shape [${shape}], ${bytes} bytes`, 'what the file can hold');
    }
    const data = readFloats(found, shape, count);
    requireFinite(data, `${this.#budget.what}: ${this.#below(key)}`);
    return { shape, data };
  }

  #below(key: string): string {
    return this.place === '' ? key : `${this.place}/${key}`;
  }

  #unfit(key: string, found: string, expected: string): ThawError {
    return invalid(`${this.#budget.what}: ${this.#below(key)}: found ${found}; expected ${expected}`);
  }
}

/** Links are said as such: what they lead to is never opened. */
function kindOf(found: hdf5.Entity | null): string {
  if (found instanceof hdf5.ExternalLink) return `a link into the file ${found.filename}`;
  if (found instanceof hdf5.BrokenSoftLink) return 'a link that leads nowhere';
  if (found instanceof hdf5.Group) return 'a group';
  return found instanceof hdf5.Dataset ? 'an array' : 'nothing';
}

/** Along the first axis, so that the library never holds more than a piece (or one row). */
function readFloats(dataset: hdf5.Dataset, shape: readonly number[], count: number): Float32Array {
  const [rows = 1] = shape;
  const data = new Float32Array(count);
  if (shape.length === 0) return data.fill(dataset.value as number);
  const rowFloats = count / Math.max(1, rows);
  const rowsAtOnce = Math.max(1, Math.floor(pieceBytes / 4 / Math.max(1, rowFloats)));
  for (let row = 0; row < rows && count > 0; row += rowsAtOnce) {
    data.set(dataset.slice([[row, Math.min(rows, row + rowsAtOnce)]]) as Float32Array, row * rowFloats);
  }
  return data;
}

function invalid(message: string): ThawError {
  return new ThawError('ModelInvalid', message);
}
