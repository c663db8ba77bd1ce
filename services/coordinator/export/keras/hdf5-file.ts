// Writes an HDF5 file: the library writes into a descriptor that is open already, and sees no other file. Memory is taken
// for one array at a time.

import { ftruncateSync, readSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Tensor } from '@thaw/common/model/graph.ts';
import * as hdf5 from 'h5wasm';

/** The library keeps attributes in an object's header, which is no longer than this. */
const headerBytesMax = 64_000;

export interface GroupWriter {
  group(name: string): GroupWriter;
  /** float32; the parts of a name between slashes are groups. */
  array(name: string, tensor: Tensor): void;
  count(name: string, value: number): void;
  text(name: string, value: string): void;
  /** As Keras writes it: in as many attributes `name0`, `name1`, … as it needs. */
  list(name: string, values: readonly string[]): void;
}

/** Over what the file held before. Throws what the file system does. */
export async function writeHdf5File(file: string, write: (root: GroupWriter) => void): Promise<void> {
  const handle = await open(file, 'w+');
  try {
    await writeHdf5(handle.fd, write);
  } finally {
    await handle.close();
  }
}

/** `descriptor`: empty, open to read and write. Throws what the file system does. */
export async function writeHdf5(descriptor: number, write: (root: GroupWriter) => void): Promise<void> {
  const library = await hdf5.ready;
  library.activate_throwing_error_handler();
  const mounted = mount(library, descriptor);
  try {
    const file = new hdf5.File(mounted.name, 'w');
    try {
      write(writerOf(file));
    } finally {
      file.close();
    }
  } catch (thrown) {
    throw mounted.failure() ?? thrown;
  } finally {
    library.FS.unlink(mounted.name);
  }
  const failure = mounted.failure();
  if (failure) throw failure;
}

function writerOf(group: hdf5.Group): GroupWriter {
  return {
    group: (name) => writerOf(group.create_group(name)),
    array(name, { shape, data }) {
      const parts = name.split('/');
      const last = parts.pop() as string;
      const parent = parts.reduce((into, part) => groupIn(into, part), group);
      parent.create_dataset({ name: last, data, shape: [...shape], dtype: '<f4' });
    },
    count: (name, value) =>
      void group.create_dataset({ name, data: new BigInt64Array([BigInt(value)]), shape: [], dtype: '<q' }),
    text: (name, value) => group.create_attribute(name, value, null, 'S'),
    list(name, values) {
      const length = Math.max(1, ...values.map((value) => Buffer.byteLength(value)));
      const perPiece = Math.max(1, Math.floor(headerBytesMax / length));
      const pieces = Math.ceil(values.length / perPiece);
      if (pieces === 0) group.create_attribute(name, new Float64Array(), [0], '<d');
      for (let piece = 0; piece < pieces; piece++) {
        const run = values.slice(piece * perPiece, (piece + 1) * perPiece);
        group.create_attribute(pieces === 1 ? name : `${name}${piece}`, run, [run.length], `S${length}`);
      }
    },
  };
}

function groupIn(group: hdf5.Group, name: string): hdf5.Group {
  return (group.get(name) as hdf5.Group | null) ?? group.create_group(name);
}

type Call = [stream: unknown, heap: Int8Array, offset: number, length: number, position: number];

interface Node {
  usedBytes: number;
  stream_ops: Record<string, unknown>;
  node_ops: Record<string, unknown>;
}

let files = 0;

/** What the descriptor's file system throws is kept: through the library it would come out as a number. */
function mount({ FS }: typeof hdf5.Module, descriptor: number): { name: string; failure: () => Error | null } {
  const name = `/written-${files++}.h5`;
  FS.writeFile(name, new Uint8Array());
  const node = FS.lookupPath(name, {}).node as unknown as Node;
  let failure: Error | null = null;
  const orFailure = <T>(work: () => T): T => {
    try {
      return work();
    } catch (thrown) {
      failure ??= thrown as Error;
      const { ErrnoError } = FS as unknown as { ErrnoError: new (errno: number) => Error };
      throw new ErrnoError(inputOutputError);
    }
  };
  const bytesOf = (heap: Int8Array, offset: number, length: number): Uint8Array =>
    new Uint8Array(heap.buffer, heap.byteOffset + offset, length);
  node.stream_ops = {
    ...node.stream_ops,
    read: (...[, heap, offset, length, position]: Call) =>
      orFailure(() => readSync(descriptor, bytesOf(heap, offset, length), 0, length, position)),
    write: (...[, heap, offset, length, position]: Call) =>
      orFailure(() => {
        writeAll(descriptor, bytesOf(heap, offset, length), position);
        node.usedBytes = Math.max(node.usedBytes, position + length);
        return length;
      }),
  };
  node.node_ops = {
    ...node.node_ops,
    setattr: (_: unknown, { size }: { size?: number }) => {
      if (size === undefined) return;
      orFailure(() => ftruncateSync(descriptor, size));
      node.usedBytes = size;
    },
  };
  return { name, failure: () => failure };
}

/** EIO of the library's own C library. */
const inputOutputError = 29;

function writeAll(descriptor: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(descriptor, bytes, done, bytes.length - done, position + done);
  }
}
