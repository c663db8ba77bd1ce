// Features of micro-batches whose pictures are mixed with each other: decoded, mixed and run through the frozen part in
// every step, because a mixed picture comes once. The next micro-batch decodes while this one computes.

import type { Grid } from '@thaw/common/model/grid.ts';
import { blockAhead } from '../cache/block-ahead.ts';
import type { FeatureRows } from '../cache/feature-source.ts';
import type { SampleRef } from '../cache/level.ts';
import type { LoadBlock, PixelBlock } from '../cache/pixel-level.ts';
import type { StageProgram } from '../engine/engine.ts';
import { type Mix, mixRows } from './mix.ts';

export interface MixedPixelsOptions {
  readonly program: StageProgram;
  readonly loadBlock: LoadBlock;
  readonly blockSize: number;
  /** Of the pictures, without an offset. */
  readonly grid: Grid;
}

export interface MixedRows extends FeatureRows {
  readonly partners: Int32Array;
  readonly share: number;
}

interface Mixed {
  readonly mix: Mix;
  readonly partnersOf: (present: readonly boolean[]) => Int32Array;
  /** Rows of the result. */
  readonly rows: number;
  /** What will be asked for next. */
  readonly upcoming: readonly SampleRef[];
}

export interface MixedPixels {
  rows(refs: readonly SampleRef[], mixed: Mixed): Promise<MixedRows>;
}

export function mixedPixels(options: MixedPixelsOptions): MixedPixels {
  const { grid } = options;
  const pictureBytes = grid.height * grid.width * grid.channels;
  const pictures = blockAhead((refs) => load(options, refs, pictureBytes));
  return {
    async rows(refs, { mix, partnersOf, rows, upcoming }) {
      const { pixels, present } = await pictures.take(refs);
      pictures.start(upcoming);
      const partners = partnersOf(present);
      const share = mixRows(pixels, pictureBytes, { mix, partners, grids: [grid] });
      return { features: featuresOf(options, { pixels, present }, rows), present, partners, share };
    },
  };
}

/** Every picture of a micro-batch, which may be larger than a block. */
async function load(
  { loadBlock, blockSize }: MixedPixelsOptions,
  refs: readonly SampleRef[],
  pictureBytes: number,
): Promise<PixelBlock> {
  const pixels = new Uint8Array(refs.length * pictureBytes);
  const present: boolean[] = [];
  for (let first = 0; first < refs.length; first += blockSize) {
    const block = await loadBlock(refs.slice(first, first + blockSize));
    const count = Math.min(blockSize, refs.length - first);
    pixels.set(block.pixels.subarray(0, count * pictureBytes), first * pictureBytes);
    present.push(...block.present.slice(0, count));
  }
  return { pixels, present };
}

/** [rows, boundaryFloats]; absent rows are zero. */
function featuresOf(
  { program, blockSize }: MixedPixelsOptions,
  { pixels, present }: PixelBlock,
  rows: number,
): Float32Array {
  const floats = program.partition.boundaryFloats;
  const pictureBytes = pixels.length / present.length;
  const features = new Float32Array(rows * floats);
  for (let first = 0; first < present.length; first += blockSize) {
    const block = new Uint8Array(blockSize * pictureBytes);
    block.set(pixels.subarray(first * pictureBytes, (first + blockSize) * pictureBytes));
    const found = program.features(block);
    for (let row = first; row < Math.min(first + blockSize, present.length); row++) {
      if (present[row]) features.set(found.subarray((row - first) * floats, (row - first + 1) * floats), row * floats);
    }
  }
  return features;
}
