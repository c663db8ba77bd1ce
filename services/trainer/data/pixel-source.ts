// Hands out blocks of decoded (and for training augmented) pixels. A few images are decoded at once, beside compute.
// Bytes that are no image make a bad sample, said once; a file that cannot be read, or decoded for another reason than
// its bytes, is tried again and then this trainer's fault. A file that changed since the data was listed is an error.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { columnsOf, contentDigits, type DataManifest, type SetName } from '@thaw/common/data/manifest.ts';
import type { ErrorCode } from '@thaw/common/errors/catalogue.ts';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { Augmentation, Preprocessing } from '@thaw/common/job/resolved-job.ts';
import type { SampleRef } from '../cache/level.ts';
import type { PixelBlock } from '../cache/pixel-level.ts';
import { augmentedImage } from './augment.ts';
import { BadImage, decodeImage } from './decode-image.ts';

export interface BadSample {
  readonly set: SetName;
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
  /** Called with the bad samples of a block that were not told before, if there are any. */
  readonly onBad: (samples: readonly BadSample[]) => void;
}

export interface PixelSource {
  /** [blockSize, height, width, 3] bytes, rows beyond `refs` black. */
  loadBlock(refs: readonly SampleRef[]): Promise<PixelBlock>;
}

/** Images decoded at once: sharp has a thread of its own for each. */
const decodingMax = 4;
const attempts = 3;
const retryMilliseconds = 200;

export function createPixelSource(options: PixelSourceOptions): PixelSource {
  const { preprocessing, blockSize, manifest } = options;
  const imageBytes = preprocessing.height * preprocessing.width * 3;
  const told = new Set<string>();
  const tellOnce = (samples: readonly BadSample[]): void => {
    const fresh = samples.filter(({ set, id }) => !told.has(`${set}/${id}`));
    for (const { set, id } of fresh) told.add(`${set}/${id}`);
    if (fresh.length > 0) options.onBad(fresh);
  };
  return {
    async loadBlock(refs) {
      const pixels = new Uint8Array(blockSize * imageBytes);
      const reasons = new Map<number, string>();
      await eachOf([...refs.entries()], decodingMax, async ([row, ref]) => {
        try {
          pixels.set(await loadSample(options, ref), row * imageBytes);
        } catch (thrown) {
          if (!(thrown instanceof BadImage)) throw thrown;
          reasons.set(row, thrown.message);
        }
      });
      const bad = new Map<string, BadSample>();
      for (const [row, { set, index }] of refs.entries()) {
        const reason = reasons.get(row);
        const id = columnsOf(manifest, set).ids[index] as string;
        if (reason !== undefined) bad.set(`${set}/${id}`, { set, id, reason });
      }
      tellOnce([...bad.values()]);
      return { pixels, present: refs.map((_, row) => !reasons.has(row)) };
    },
  };
}

async function loadSample(options: PixelSourceOptions, { set, index, view }: SampleRef): Promise<Uint8Array> {
  const { manifest, root, preprocessing: geometry, augment, seed } = options;
  const { ids, paths, byteLengths, contents } = columnsOf(manifest, set);
  const file = path.resolve(root, paths[index] as string);
  const bytes = await withRetries({ code: 'SourceNotFound', what: `${file} cannot be read` }, () => readFile(file));
  checkLength(file, bytes.length, byteLengths[index]);
  checkContent(file, bytes, contents?.[index]);
  return withRetries({ code: 'Internal', what: `${file} cannot be decoded here, whatever it holds` }, () =>
    set !== 'train' || augment.length === 0
      ? decodeImage(bytes, geometry)
      : augmentedImage(bytes, { geometry, augment, seed, view, sampleId: ids[index] as string }),
  );
}

/** A first guard against data that changes during a run. Files that were only named have no length. */
function checkLength(file: string, found: number, expected: number | undefined): void {
  if (expected === undefined || found === expected) return;
  throw new ThawError(
    'DataInvalid',
    `${file}: found ${found} bytes; expected the ${expected} that it had when the job began: the data changed during the run`,
  );
}

/** What the feature cache keeps under a content's name must be of that content. */
function checkContent(file: string, bytes: Uint8Array, expected: string | undefined): void {
  if (expected === undefined) return;
  const found = createHash('sha256').update(bytes).digest('hex').slice(0, contentDigits);
  if (found === expected) return;
  throw new ThawError(
    'DataInvalid',
    `${file}: found bytes with sha256 ${found}…; expected ${expected}…, as when the job began: the data changed during the run`,
  );
}

interface Blame {
  readonly code: ErrorCode;
  readonly what: string;
}

/** What the bytes themselves are to blame for passes at once. */
async function withRetries<T>({ code, what }: Blame, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (cause) {
      if (cause instanceof BadImage) throw cause;
      if (attempt < attempts) {
        await delay(retryMilliseconds * attempt);
        continue;
      }
      const reason = (cause instanceof Error ? cause.message : String(cause)).trim();
      const blamed = /memory/i.test(reason) ? 'OutOfMemory' : code;
      throw new ThawError(blamed, `${what} (${attempts} attempts): ${reason}`, { cause });
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
