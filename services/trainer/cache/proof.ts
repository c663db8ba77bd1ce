// Rows that another process left on disk are believed once a block of them was computed here too: the same bits, and
// dearer to compute than to read. One block a level and process; it is also what the gain is reckoned from.

import type { FeatureChoice, FeatureCounts } from './feature-counts.ts';
import type { FeatureStore } from './feature-store.ts';
import type { Level, SampleRef } from './level.ts';
import { addTiming, type LevelCosts } from './level-costs.ts';
import type { LoadBlock } from './pixel-level.ts';

export interface ProofOptions {
  readonly store: FeatureStore;
  readonly counts: FeatureCounts;
  /** Of the stage's boundary: the proof measures what a row from pixels takes. */
  readonly costs: LevelCosts;
  readonly blockSize: number;
  readonly loadBlock: LoadBlock;
  /** Rows of the stage's boundary from pixels. */
  readonly fromPixels: (pixels: Uint8Array) => Float32Array;
  /** Rows of the stage's boundary from a block of the level; what is read already, where the level is the boundary. */
  readonly fromLevel: (rows: Uint8Array) => Float32Array;
  readonly say: (choice: FeatureChoice) => void;
}

/** Proves the level by the first block of `refs` that the disk has, or leaves it alone from now on. */
export async function proveLevel(level: Level, refs: readonly SampleRef[], options: ProofOptions): Promise<void> {
  const { store, counts, costs, blockSize, say } = options;
  const { disk } = store;
  if (!disk || disk.isProven(level)) return;
  const block = refs.filter((ref) => disk.has(level, ref)).slice(0, blockSize);
  if (block.length === 0) return;
  const started = performance.now();
  const { pixels, present } = await options.loadBlock(block);
  const computed = bytesOf(options.fromPixels(pixels));
  const between = performance.now();
  const stored = new Uint8Array(blockSize * level.rowBytes);
  const wasRead = block.map((ref, place) => {
    const row = disk.read(level, ref);
    if (row) stored.set(row, place * level.rowBytes);
    return row !== undefined && present[place] === true;
  });
  const readSeconds = (performance.now() - between) / 1000;
  const found = bytesOf(options.fromLevel(stored));
  const computeSeconds = (between - started) / 1000;
  addTiming(costs.fromPixels, computeSeconds, block.length);
  const rowBytes = computed.length / blockSize;
  const same = wasRead.every((read, place) => {
    const range = [place * rowBytes, (place + 1) * rowBytes] as const;
    return !read || Buffer.compare(found.subarray(...range), computed.subarray(...range)) === 0;
  });
  const choice: FeatureChoice = {
    level: level.name,
    reads: same && readSeconds < computeSeconds,
    otherBits: !same,
    readSeconds: readSeconds / block.length,
    computeSeconds: computeSeconds / block.length,
  };
  if (choice.reads) disk.prove(level);
  else disk.leave(level);
  counts.proved += present.filter(Boolean).length;
  counts.choices = [...counts.choices, choice];
  say(choice);
}

/** For the log. */
export function choiceText({ level, reads, otherBits, readSeconds, computeSeconds }: FeatureChoice): string {
  const features = `features at ${level} are`;
  if (otherBits) return `${features} computed: what lies on disk has other bits than this engine computes`;
  const [reading, computing] = [readSeconds, computeSeconds].map((seconds) => `${(1000 * seconds).toFixed(3)} ms`);
  const chosen = reads ? 'read from disk' : 'computed';
  return `${features} ${chosen}: reading takes ${reading} a sample, computing ${computing}`;
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
