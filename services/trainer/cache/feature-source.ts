// Features for whoever asks, computed at most once while they fit the store: decode a block, run the prefix, keep the
// rows. The next block decodes while this one computes, across steps too where features do not fit. Blocks always have
// the engine's fixed size; short ones are padded with black images whose rows are thrown away.

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
  /** Called once, when a fill leaves samples out because the store is full. */
  readonly onFull?: (fit: StoreFit) => void;
}

/** How much of what one fill wanted the store holds. */
export interface StoreFit {
  readonly held: number;
  readonly wanted: number;
  readonly heldBytes: number;
  readonly wantedBytes: number;
}

export interface FeatureRows {
  /** [rows, boundaryFloats]; absent rows are zero. */
  readonly features: Float32Array;
  readonly present: readonly boolean[];
}

export interface FeatureSource {
  /** Computes what is missing of `refs`, in order, into the store, until the store is full. */
  fill(refs: readonly SampleRef[]): Promise<void>;
  /**
   * Makes every one of `refs` readable by rows(), whether it fits the store or not, until the next call. The first block
   * that `upcoming`, the refs of the next call, will miss decodes meanwhile.
   */
  prepare(refs: readonly SampleRef[], upcoming?: readonly SampleRef[]): Promise<void>;
  rows(refs: readonly SampleRef[], rows: number): FeatureRows;
  /** Samples whose prefix ran since the start, rows that were served, and rows computed for one use: they did not fit. */
  readonly counts: { computed: number; served: number; misses: number };
  /** Bytes that the store holds. */
  readonly cacheBytes: number;
}

export function featureSource(options: FeatureSourceOptions): FeatureSource {
  const { program, store, blockSize } = options;
  const floats = program.partition.boundaryFloats;
  const rowBytes = floats * Float32Array.BYTES_PER_ELEMENT;
  const counts = { computed: 0, served: 0, misses: 0 };
  const blocks = blockAhead(options);
  let overflow = new Map<string, Features>();
  let saidFull = false;

  const missing = (refs: readonly SampleRef[]) => refs.filter((ref) => store.get(ref) === undefined);

  /** Runs the prefix over refs block by block; the block after the last one is the first of `upcoming`. */
  const compute = async (
    refs: readonly SampleRef[],
    keep: (ref: SampleRef, features: Features) => void,
    upcoming: readonly SampleRef[] = [],
  ) => {
    for (let start = 0; start < refs.length; start += blockSize) {
      const block = refs.slice(start, start + blockSize);
      const { pixels, present } = await blocks.take(block);
      const following = refs.slice(start + blockSize, start + 2 * blockSize);
      blocks.start(following.length > 0 ? following : upcoming.slice(0, blockSize));
      const features = program.features(pixels);
      counts.computed += present.filter(Boolean).length;
      options.board.tick(block.length);
      for (const [row, ref] of block.entries()) {
        keep(ref, present[row] ? features.subarray(row * floats, (row + 1) * floats) : 'bad');
      }
      await options.checkpoint();
    }
  };

  const sayWhenFull = (refs: readonly SampleRef[]): void => {
    const held = refs.length - missing(refs).length;
    if (saidFull || held === refs.length) return;
    saidFull = true;
    options.onFull?.({
      held,
      wanted: refs.length,
      heldBytes: held * rowBytes,
      wantedBytes: refs.length * rowBytes,
    });
  };

  return {
    counts,
    get cacheBytes() {
      return store.bytes;
    },
    async fill(refs) {
      const fitting = missing(refs).slice(0, store.roomFor(rowBytes));
      await compute(fitting, (ref, features) => store.put(ref, features));
      sayWhenFull(refs);
    },
    async prepare(refs, upcoming = []) {
      overflow = new Map();
      const keep = (ref: SampleRef, features: Features): void => {
        if (store.put(ref, features)) return;
        counts.misses += 1;
        overflow.set(refKey(ref), features === 'bad' ? 'bad' : features.slice());
      };
      await compute(missing(refs), keep, missing(upcoming));
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

/** At most one block that decodes ahead of its use; one that is not what is taken next was decoded for nothing. */
function blockAhead({ loadBlock }: Pick<FeatureSourceOptions, 'loadBlock'>) {
  const keyOf = (refs: readonly SampleRef[]): string => refs.map(refKey).join();
  let ahead: { readonly key: string; readonly block: Promise<PixelBlock> } | null = null;
  return {
    take(refs: readonly SampleRef[]): Promise<PixelBlock> {
      const block = ahead?.key === keyOf(refs) ? ahead.block : loadBlock(refs);
      ahead = null;
      return block;
    },
    start(refs: readonly SampleRef[]): void {
      if (refs.length === 0) return;
      ahead = { key: keyOf(refs), block: loadBlock(refs) };
      ahead.block.catch(() => {}); // thrown where it is taken; one that nobody takes must not stay unhandled
    },
  };
}
