// Decoded and augmented pictures as one more level, below every boundary: a stage whose prefix is empty or was trained
// reads them from here. Bytes, so a quarter of the size of the floats that they become.

import type { FeatureCounts } from './feature-counts.ts';
import type { FeatureStore } from './feature-store.ts';
import type { Level, SampleRef } from './level.ts';

/** Decoded pixels of a block, [blockSize, height, width, 3]; `present[row]` is false for a bad sample. */
export interface PixelBlock {
  readonly pixels: Uint8Array;
  readonly present: readonly boolean[];
}

export type LoadBlock = (refs: readonly SampleRef[]) => Promise<PixelBlock>;

export interface PixelLevelOptions {
  readonly level: Level;
  readonly store: FeatureStore;
  readonly counts: FeatureCounts;
  readonly blockSize: number;
  /** Decodes. */
  readonly loadBlock: LoadBlock;
}

/** Decodes what is not held, and keeps what fits. */
export function cachedPixels({ level, store, counts, blockSize, loadBlock }: PixelLevelOptions): LoadBlock {
  return async (refs) => {
    const held = refs.map((ref) => store.read(level, ref));
    const absent = refs.filter((_, row) => held[row] === undefined);
    counts.pixelHits += refs.length - absent.length;
    if (absent.length === 0) return blockOf(held);
    const decoded = await loadBlock(absent);
    counts.decoded += absent.length;
    const { rowBytes } = level;
    const rows = absent.map((_, i) =>
      decoded.present[i] ? decoded.pixels.subarray(i * rowBytes, (i + 1) * rowBytes) : ('bad' as const),
    );
    store.write(
      level,
      absent.map((ref, i) => [ref, rows[i] as (typeof rows)[number]]),
    );
    if (absent.length === refs.length) return decoded;
    const fresh = rows.values();
    return blockOf(held.map((row) => row ?? fresh.next().value));
  };

  function blockOf(rows: readonly (Uint8Array | 'bad' | undefined)[]): PixelBlock {
    const pixels = new Uint8Array(blockSize * level.rowBytes);
    const present = rows.map((row, place) => {
      if (row === undefined || row === 'bad') return false;
      pixels.set(row, place * level.rowBytes);
      return true;
    });
    return { pixels, present };
  }
}
