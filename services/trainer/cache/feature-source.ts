// Features for whoever asks, computed at most once while they fit the store. A missing row is computed from the deepest
// boundary that is held on the way to it, else from pixels; what a pass computes on its way for later stages is kept too.
// The next block decodes while this one computes. Blocks always have the engine's fixed size; short ones are padded with
// zeros whose rows are thrown away.

import { invariant } from '@thaw/common/errors/thaw-error.ts';
import type { ProgressBoard } from '../comms/progress-board.ts';
import { blockAhead } from './block-ahead.ts';
import { addComputed, type FeatureChoice, type FeatureCounts } from './feature-counts.ts';
import type { FeatureStore } from './feature-store.ts';
import { type Entry, type Level, type Row, refKey, type SampleRef } from './level.ts';
import { addTiming, costsOf } from './level-costs.ts';
import type { LoadBlock, PixelBlock } from './pixel-level.ts';
import { proveLevel } from './proof.ts';
import { fitOf, type StoreFit } from './store-fit.ts';

/** One way to compute rows of the stage's boundary. */
export interface Way {
  /** What it starts from; null: pixels. */
  readonly from: Level | null;
  /** Boundaries that it passes and that later stages read. */
  readonly passes: readonly Level[];
  /** `input`: a block of `from`. Rows of the stage's boundary, then of the wanted ones of `passes` (indices). */
  run(input: Uint8Array, wanted: readonly number[]): Float32Array[];
}

export interface FeatureSourceOptions {
  /** Null where the prefix computes nothing: its rows are made from pixels each time and never held. */
  readonly level: Level | null;
  readonly boundaryFloats: number;
  /** Best first; the last one starts from pixels. */
  readonly ways: readonly Way[];
  /** Level that `loadBlock` keeps; null while no stage would read it. */
  readonly pixelLevel: Level | null;
  readonly loadBlock: LoadBlock;
  readonly store: FeatureStore;
  readonly counts: FeatureCounts;
  readonly blockSize: number;
  readonly board: ProgressBoard;
  /** Throws when the work at hand was superseded; called between blocks. */
  readonly checkpoint: () => Promise<void>;
  /** Called once, when a fill leaves samples out because the store is full. */
  readonly onFull?: (fit: StoreFit) => void;
  /** Called when what lies on disk was measured: whether it is read or computed again, and why. */
  readonly onChoice?: (choice: FeatureChoice) => void;
}

export interface FeatureRows {
  /** [rows, boundaryFloats]; absent rows are zero. */
  readonly features: Float32Array;
  readonly present: readonly boolean[];
}

export interface FeatureSource {
  /** Computes what is missing of `refs`, in order, into the store, until the store is full. A phase of its own. */
  fill(refs: readonly SampleRef[]): Promise<void>;
  /**
   * Makes every one of `refs` readable by rows(), whether it fits the store or not, until the next call. The first block
   * that `upcoming`, the refs of the next call, will miss decodes meanwhile.
   */
  prepare(refs: readonly SampleRef[], upcoming?: readonly SampleRef[]): Promise<void>;
  rows(refs: readonly SampleRef[], rows: number): FeatureRows;
}

export function featureSource(options: FeatureSourceOptions): FeatureSource {
  const { level, boundaryFloats: floats, store, counts, blockSize } = options;
  const blocks = blockAhead(options.loadBlock);
  const costs = level && costsOf(counts.costs, level);
  /** Rows for one use: they did not fit, or only the disk has them. */
  let passing = new Map<string, Row>();
  let saidFull = false;

  const isHeld = (ref: SampleRef): boolean => level !== null && store.placeOf(level, ref) !== null;

  /** Counts where the row is, and gets it from disk. */
  const isReadable = (ref: SampleRef): boolean => {
    const place = level && store.placeOf(level, ref);
    if (!level || !costs || place === null) return false;
    const started = place === 'disk' ? performance.now() : 0;
    const row = store.read(level, ref);
    if (place === 'disk') costs.readSeconds += (performance.now() - started) / 1000;
    if (row === undefined) return false;
    costs.served += 1;
    if (place === 'memory') counts.memoryHits += 1;
    else counts.diskHits += 1;
    if (place === 'disk') passing.set(refKey(ref), row);
    return true;
  };

  /** One block along one way: rows of the boundary, and rows of later boundaries into the store. */
  const runBlock = (way: Way, block: readonly SampleRef[], { pixels: input, present }: PixelBlock): Entry[] => {
    const wanted = [...way.passes.keys()].filter((i) => store.roomFor(way.passes[i] as Level) > 0);
    const [own, ...passed] = way.run(input, wanted).map((features) => entriesOf(block, present, features, blockSize));
    for (const [i, entries] of passed.entries()) store.write(way.passes[wanted[i] as number] as Level, entries);
    if (level) addComputed(counts, way.from?.name ?? 'pixels', present.filter(Boolean).length);
    options.board.tick(block.length);
    return own as Entry[];
  };

  /** Runs the prefix over refs block by block; the block after the last one is the first of `upcoming`. */
  const compute = async (
    refs: readonly SampleRef[],
    keep: (entries: readonly Entry[]) => void,
    upcoming: readonly SampleRef[] = [],
  ): Promise<void> => {
    const damaged: SampleRef[] = [];
    for (const [way, group] of groupedByWay(refs, options)) {
      for (let start = 0; start < group.length; start += blockSize) {
        const started = performance.now();
        const wanted = group.slice(start, start + blockSize);
        if (way.from) {
          const { block, input, lost } = heldBlock(way.from, wanted, options);
          damaged.push(...lost);
          if (block.length > 0) keep(runBlock(way, block, input));
        } else {
          const input = await blocks.take(wanted);
          const following = group.slice(start + blockSize, start + 2 * blockSize);
          blocks.start(following.length > 0 ? following : upcoming.slice(0, blockSize));
          keep(runBlock(way, wanted, input));
        }
        const timing = way.from ? costs?.fromHeld : costs?.fromPixels;
        if (timing) addTiming(timing, (performance.now() - started) / 1000, wanted.length);
        await options.checkpoint();
      }
    }
    if (damaged.length > 0) await compute(damaged, keep);
  };

  const sayWhenFull = (refs: readonly SampleRef[], filled: Level): void => {
    const fit = fitOf(store, filled, refs);
    if (saidFull || fit.held === fit.wanted) return;
    saidFull = true;
    options.onFull?.({ ...fit, what: level ? 'features' : 'pixels' });
  };

  return {
    async fill(refs) {
      const { pixelLevel, ways, board } = options;
      if (level) await prove(level, refs, options);
      const passes = ways.at(-1)?.passes ?? [];
      const demanded = [...(level ? [level] : []), ...passes, ...(pixelLevel ? [pixelLevel] : [])];
      store.allot(demanded.map((wanted) => ({ level: wanted, refs })));
      const filled = level ?? pixelLevel;
      if (!filled) return;
      const absent = refs.filter((ref) => store.placeOf(filled, ref) === null).slice(0, store.roomFor(filled));
      if (absent.length > 0) board.enter('features', absent.length);
      if (level) await compute(absent, (entries) => store.write(level, entries));
      else await decode(absent, options);
      if (costs) costs.filled += absent.length;
      sayWhenFull(refs, filled);
    },
    async prepare(refs, upcoming = []) {
      passing = new Map();
      const absent = refs.filter((ref) => !isReadable(ref));
      const keep = (entries: readonly Entry[]): void => {
        if (level) store.write(level, entries);
        for (const [ref, row] of entries) {
          if (level && store.placeOf(level, ref) === 'memory') continue;
          counts.misses += level ? 1 : 0;
          passing.set(refKey(ref), row === 'bad' ? row : row.slice());
        }
      };
      const decodes = upcoming.filter((ref) => !isHeld(ref) && wayOf(ref, options).from === null);
      await compute(absent, keep, decodes);
    },
    rows(refs, rows) {
      const features = new Float32Array(rows * floats);
      const bytes = new Uint8Array(features.buffer);
      const present = refs.map((ref, place) => {
        const row = passing.get(refKey(ref)) ?? (level ? store.read(level, ref) : undefined);
        invariant(row !== undefined, `the features of ${refKey(ref)} were not prepared`);
        if (row !== 'bad') bytes.set(row, place * floats * Float32Array.BYTES_PER_ELEMENT);
        return row !== 'bad';
      });
      return { features, present };
    },
  };
}

type WayChoice = Pick<FeatureSourceOptions, 'ways' | 'store'>;

/** The first way whose start is held. */
function wayOf(ref: SampleRef, { ways, store }: WayChoice): Way {
  const way = ways.find(({ from }) => from === null || store.placeOf(from, ref) !== null);
  invariant(way !== undefined, 'the last way to features starts from pixels');
  return way;
}

/** Ways in their order, refs in theirs. */
function groupedByWay(refs: readonly SampleRef[], choice: WayChoice): Map<Way, SampleRef[]> {
  const groups = new Map<Way, SampleRef[]>(choice.ways.map((way) => [way, []]));
  for (const ref of refs) groups.get(wayOf(ref, choice))?.push(ref);
  return groups;
}

/** Before anything is taken from disk that another process computed. */
async function prove(level: Level, refs: readonly SampleRef[], options: FeatureSourceOptions): Promise<void> {
  const last = options.ways.at(-1);
  const say = options.onChoice ?? (() => {});
  if (!last) return;
  const fromPixels = (pixels: Uint8Array) => last.run(pixels, [])[0] as Float32Array;
  const asRead = (rows: Uint8Array) => new Float32Array(rows.buffer);
  const proving = { ...options, costs: costsOf(options.counts.costs, level), fromPixels, say };
  await proveLevel(level, refs, { ...proving, fromLevel: asRead });
  for (const { from, run } of options.ways) {
    if (from === null) continue;
    const fromLevel = (rows: Uint8Array) => run(rows, [])[0] as Float32Array;
    const lacking = refs.filter((ref) => options.store.placeOf(level, ref) === null);
    await proveLevel(from, lacking, { ...proving, fromLevel });
  }
}

/** Only fills the level of pixels, for a prefix that computes nothing. */
async function decode(
  refs: readonly SampleRef[],
  { loadBlock, blockSize, board, checkpoint }: FeatureSourceOptions,
): Promise<void> {
  for (let start = 0; start < refs.length; start += blockSize) {
    const block = refs.slice(start, start + blockSize);
    await loadBlock(block);
    board.tick(block.length);
    await checkpoint();
  }
}

/** A block of rows that are held; `lost` are those that turned out to be damaged, and are not held any more. */
function heldBlock(
  from: Level,
  refs: readonly SampleRef[],
  { store, blockSize }: Pick<FeatureSourceOptions, 'store' | 'blockSize'>,
): { block: SampleRef[]; input: PixelBlock; lost: SampleRef[] } {
  const rows = refs.map((ref) => [ref, store.read(from, ref)] as const);
  const held = rows.filter((entry): entry is readonly [SampleRef, Row] => entry[1] !== undefined);
  const pixels = new Uint8Array(blockSize * from.rowBytes);
  for (const [place, [, row]] of held.entries()) if (row !== 'bad') pixels.set(row, place * from.rowBytes);
  return {
    block: held.map(([ref]) => ref),
    input: { pixels, present: held.map(([, row]) => row !== 'bad') },
    lost: rows.filter(([, row]) => row === undefined).map(([ref]) => ref),
  };
}

function entriesOf(
  block: readonly SampleRef[],
  present: readonly boolean[],
  features: Float32Array,
  blockSize: number,
): Entry[] {
  const bytes = new Uint8Array(features.buffer, features.byteOffset, features.byteLength);
  const rowBytes = bytes.length / blockSize;
  return block.map((ref, place) => [
    ref,
    present[place] ? bytes.subarray(place * rowBytes, (place + 1) * rowBytes) : ('bad' as const),
  ]);
}
