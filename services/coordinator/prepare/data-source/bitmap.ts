// Reads the one kind of BMP that scikit-image writes: 24 bits, uncompressed, from the last row up. The image library
// reads none at all.

import { ThawError } from '@thaw/common/errors/thaw-error.ts';

export interface Bitmap {
  readonly width: number;
  readonly height: number;
  /** [height, width, 3] rgb. */
  readonly pixels: Uint8Array;
}

/** `what` names the file. Throws DataInvalid. */
export function readBitmap(file: Buffer, what: string): Bitmap {
  const [start, width, height] = [file.readUInt32LE(10), file.readInt32LE(18), file.readInt32LE(22)];
  const [bits, compression] = [file.readUInt16LE(28), file.readUInt32LE(30)];
  /** Rows begin at multiples of four bytes. */
  const rowBytes = Math.ceil((width * 3) / 4) * 4;
  const wanted = start + rowBytes * height;
  if (bits !== 24 || compression !== 0 || width < 1 || height < 1 || file.length < wanted) {
    const found = `${file.length} bytes, ${width} x ${height}, ${bits} bits, compression ${compression}`;
    throw new ThawError('DataInvalid', `${what}: found ${found}; expected ${wanted} bytes, 24 bits, uncompressed`);
  }
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const row = file.subarray(start + (height - 1 - y) * rowBytes);
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) pixels[(y * width + x) * 3 + c] = row[x * 3 + 2 - c] as number;
    }
  }
  return { width, height, pixels };
}
