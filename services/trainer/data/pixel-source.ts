// Hands out blocks of decoded (and for training augmented) pixels. A few images are decoded at once, beside compute.
// Bytes that are no image make a bad sample, said once; a file that cannot be read is this trainer's fault.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { DataManifest, SplitName } from '@thaw/common/data/manifest.ts';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { Augmentation, Preprocessing } from '@thaw/common/job/resolved-job.ts';
import type { PixelBlock } from '../cache/feature-source.ts';
import type { SampleRef } from '../cache/feature-store.ts';
import { augmentedImage } from './augment.ts';
import { BadImage, decodeImage } from './decode-image.ts';

export interface BadSample {
  readonly set: SplitName;
  readonly id: string;
  readonly reason: string;
}

export interface PixelSourceOptions {
  readonly manifest: DataManifest;
  /** Folder that the manifest's relative paths start from. */
  readonly root: string;
  readonly preprocessing: Preprocessing;
  readonly augment: readonly Augmentation[];
  readonly seed: number;
  readonly blockSize: number;
  /** Called once per bad sample. */
  readonly onBad: (sample: BadSample) => void;
}

export interface PixelSource {
  /** [blockSize, height, width, 3] bytes, rows beyond `refs` black. */
  loadBlock(refs: readonly SampleRef[]): Promise<PixelBlock>;
}

/** Images decoded at once: sharp has a thread of its own for each. */
const decodingMax = 4;
const readAttempts = 3;
const retryMilliseconds = 200;

export function createPixelSource(options: PixelSourceOptions): PixelSource {
  const { preprocessing, blockSize, manifest } = options;
  const imageBytes = preprocessing.height * preprocessing.width * 3;
  const said = new Set<string>();
  const sayOnce = (sample: BadSample): void => {
    const key = `${sample.set}/${sample.id}`;
    if (said.has(key)) return;
    said.add(key);
    options.onBad(sample);
  };
  return {
    async loadBlock(refs) {
      const pixels = new Uint8Array(blockSize * imageBytes);
      const present = refs.map(() => true);
      await eachOf([...refs.entries()], decodingMax, async ([row, ref]) => {
        try {
          pixels.set(await decodeSample(options, ref), row * imageBytes);
        } catch (thrown) {
          if (!(thrown instanceof BadImage)) throw thrown;
          present[row] = false;
          sayOnce({ set: ref.set, id: manifest.sets[ref.set].ids[ref.index] as string, reason: thrown.message });
        }
      });
      return { pixels, present };
    },
  };
}

async function decodeSample(options: PixelSourceOptions, { set, index, view }: SampleRef): Promise<Uint8Array> {
  const { manifest, root, preprocessing: geometry, augment, seed } = options;
  const columns = manifest.sets[set];
  const bytes = await readWithRetries(path.resolve(root, columns.paths[index] as string));
  if (set !== 'train' || augment.length === 0) return decodeImage(bytes, geometry);
  return augmentedImage(bytes, { geometry, augment, seed, view, sampleId: columns.ids[index] as string });
}

async function readWithRetries(file: string): Promise<Uint8Array> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await readFile(file);
    } catch (cause) {
      if (attempt < readAttempts) {
        await delay(retryMilliseconds * attempt);
        continue;
      }
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new ThawError('SourceNotFound', `${file} cannot be read (${readAttempts} attempts): ${reason}`, { cause });
    }
  }
}

/** Runs `work` for every item, at most `limit` at once. */
async function eachOf<T>(items: readonly T[], limit: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async (): Promise<void> => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
}
