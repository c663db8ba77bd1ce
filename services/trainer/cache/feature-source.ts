// Features for whoever asks, computed at most once while they fit the store: decode a block, run the prefix, keep the
// rows. The next block decodes while this one computes. Blocks always have the engine's fixed size; short ones are
// padded with black images whose rows are thrown away.

import { invariant } from '@thaw/common/errors/thaw-error.ts';
import type { ProgressBoard } from '../comms/progress-board.ts';
import type { StageProgram } from '../engine/engine.ts';
import { type FeatureStore, type Features, refKey, type SampleRef } from './feature-store.ts';

/** Decoded pixels of a block, [blockSize, height, width, 3]; `present[row]` is false for a bad sample. */
export interface PixelBlock {
  readonly pixels: Uint8Array;
  readonly present: readonly boolean[];
}

export interface FeatureSourceOptions {
  readonly program: StageProgram;
  readonly store: FeatureStore;
  readonly blockSize: number;
  readonly loadBlock: (refs: readonly SampleRef[]) => Promise<PixelBlock>;
  readonly board: ProgressBoard;
  /** Throws when the work at hand was superseded; called between blocks. */
  readonly checkpoint: () => Promise<void>;
}

export interface FeatureRows {
  /** [rows, boundaryFloats]; absent rows are zero. */
  readonly features: Float32Array;
  readonly present: readonly boolean[];
}

export interface FeatureSource {
  /** Computes what is missing of `refs`, in order, into the store, until the store is full. */
  fill(refs: readonly SampleRef[]): Promise<void>;
  /** Makes every one of `refs` readable by rows(), whether it fits the store or not, until the next call. */
  prepare(refs: readonly SampleRef[]): Promise<void>;
  rows(refs: readonly SampleRef[], rows: number): FeatureRows;
  /** Samples whose prefix ran since the start, and rows that were served without running it. */
  readonly counts: { computed: number; served: number };
  /** Bytes that the store holds. */
  readonly cacheBytes: number;
}

export function featureSource(options: FeatureSourceOptions): FeatureSource {
  const { program, store, blockSize } = options;
  const floats = program.partition.boundaryFloats;
  const counts = { computed: 0, served: 0 };
  let overflow = new Map<string, Features>();

  const missing = (refs: readonly SampleRef[]) => refs.filter((ref) => store.get(ref) === undefined);

  /** Runs the prefix over refs block by block; `keep` returns false to stop early. */
  const compute = async (refs: readonly SampleRef[], keep: (ref: SampleRef, features: Features) => boolean) => {
    let next = refs.length > 0 ? options.loadBlock(refs.slice(0, blockSize)) : null;
    for (let start = 0; start < refs.length; start += blockSize) {
      const block = refs.slice(start, start + blockSize);
      const { pixels, present } = await (next as Promise<PixelBlock>);
      const following = refs.slice(start + blockSize, start + 2 * blockSize);
      next = following.length > 0 ? options.loadBlock(following) : null;
      next?.catch(() => {}); // awaited on the next round; a stop before that must not leave it unhandled
      const features = program.features(pixels);
      counts.computed += present.filter(Boolean).length;
      options.board.tick(block.length);
      let room = true;
      for (const [row, ref] of block.entries()) {
        const value = present[row] ? features.subarray(row * floats, (row + 1) * floats) : 'bad';
        room = keep(ref, value) && room;
      }
      await options.checkpoint();
      if (!room) return;
    }
  };

  return {
    counts,
    get cacheBytes() {
      return store.bytes;
    },
    async fill(refs) {
      await compute(missing(refs), (ref, features) => store.put(ref, features));
    },
    async prepare(refs) {
      overflow = new Map();
      const wanted = missing(refs);
      if (wanted.length === 0) return;
      await compute(wanted, (ref, features) => {
        if (!store.put(ref, features)) overflow.set(refKey(ref), features === 'bad' ? 'bad' : features.slice());
        return true;
      });
    },
    rows(refs, rows) {
      const features = new Float32Array(rows * floats);
      const present = refs.map((ref, row) => {
        const value = store.get(ref) ?? overflow.get(refKey(ref));
        invariant(value !== undefined, `the features of ${refKey(ref)} were not prepared`);
        counts.served += 1;
        if (value === 'bad') return false;
        features.set(value, row * floats);
        return true;
      });
      return { features, present };
    },
  };
}
