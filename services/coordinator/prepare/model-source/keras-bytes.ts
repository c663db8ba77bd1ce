// The bytes of a file, or of an entry of an archive, that are read from any place without being held in memory.

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';

export interface Bytes {
  readonly length: number;
  /** Fills `into` from `position` and returns how many bytes there were. */
  read(into: Uint8Array, position: number): number;
}

export interface OpenFile extends Bytes {
  readonly descriptor: number;
  /** A run of the file's bytes, which ends with the file at the latest. */
  part(start: number, length: number): Bytes;
  close(): void;
}

/** `asWritten` is how the user names the file. Throws SourceNotFound. */
export function openBytes(file: string, asWritten: string): OpenFile {
  const descriptor = opened(file, asWritten);
  const length = fstatSync(descriptor).size;
  const part = (start: number, partLength: number): Bytes => ({
    length: Math.max(0, Math.min(partLength, length - start)),
    read(into, position) {
      const wanted = Math.max(0, Math.min(into.length, partLength - position));
      return readSync(descriptor, into, 0, wanted, start + position);
    },
  });
  return { ...part(0, length), descriptor, part, close: () => closeSync(descriptor) };
}

function opened(file: string, asWritten: string): number {
  try {
    // Without waiting for the other end of a pipe.
    const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    if (fstatSync(descriptor).isFile()) return descriptor;
    closeSync(descriptor);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const found = code === 'ENOENT' ? 'does not exist' : `cannot be read: ${message}`;
    throw new ThawError('SourceNotFound', `spec.model.source: file:${asWritten} ${found} (looked at ${file})`, {
      cause,
    });
  }
  throw new ThawError('SourceNotFound', `spec.model.source: file:${asWritten} is no file (looked at ${file})`);
}

/** Bytes that lie in memory already. */
export function bytesInMemory(bytes: Uint8Array): Bytes {
  return {
    length: bytes.length,
    read(into, position) {
      const run = bytes.subarray(position, position + into.length);
      into.set(run);
      return run.length;
    },
  };
}
