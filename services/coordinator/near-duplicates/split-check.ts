// Looks for pictures of the validation and test sets that are alike one of an earlier set: nobody divides a data set by
// hand, and copies at another size or quality make a test too good. It runs beside training, opens a bounded number of
// pictures, decides nothing, and fails nothing: what cannot be opened is told by the trainers.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { type DataManifest, type SplitName, splitNames } from '@thaw/common/data/manifest.ts';
import { pictureBytesMax } from '@thaw/common/data/open-picture.ts';
import { type Fingerprint, fingerprintOf, hashDistance, likeness } from './fingerprint.ts';

export interface SplitCheck {
  /** Pictures looked at, evenly over each set: up to the limits, without plain surfaces and what cannot be opened. */
  readonly compared: Readonly<Record<SplitName, number>>;
  /** Pictures of the set that are alike one of an earlier set. */
  readonly found: { readonly validation: number; readonly test: number };
  /** The most alike first, at most nearDuplicatesListedMax. */
  readonly listed: readonly NearDuplicate[];
}

export interface NearDuplicate {
  readonly set: 'validation' | 'test';
  readonly id: string;
  readonly other: { readonly set: SplitName; readonly id: string };
  /** Correlation of the two at 18 x 16 pixels; 1 for a copy. */
  readonly likeness: number;
}

export interface SplitCheckOptions {
  readonly manifest: DataManifest;
  readonly dataRoot: string;
  /** Stops it; what it resolves to is then of no use. */
  readonly signal: AbortSignal;
  readonly limits?: Readonly<Record<SplitName, number>>;
}

const nearDuplicatesListedMax = 24;

/** A minute of one core or little more, whatever the data set: 2.6 ms a picture, and 12 ms for each megabyte of its JPEG. */
const comparedMax: Readonly<Record<SplitName, number>> = { train: 4_000, validation: 1_000, test: 1_000 };
/** Of pictures that are larger than this on average, so many fewer are looked at. */
const meanBytesMax = 700_000;

/** Of 64 bits. */
const distanceMax = 6;
/** Digits that two people wrote reach 0.985; a JPEG of quality 20 of the same picture stays above. */
const likenessMin = 0.99;

interface Looked {
  readonly set: SplitName;
  readonly id: string;
  readonly print: Fingerprint;
}

/** Never throws. The same for the same files. */
export async function checkSplits(options: SplitCheckOptions): Promise<SplitCheck> {
  const looked: Record<SplitName, Looked[]> = { train: [], validation: [], test: [] };
  const compared = { train: 0, validation: 0, test: 0 };
  const nearest: NearDuplicate[] = [];
  for (const set of splitNames) {
    for (const row of rowsToLookAt(options.manifest.sets[set].byteLengths, (options.limits ?? comparedMax)[set])) {
      if (options.signal.aborted) return { compared, found: { validation: 0, test: 0 }, listed: [] };
      const one = await look(options, set, row);
      if (one === null) continue;
      compared[set] += 1;
      looked[set].push(one);
      if (set === 'train') continue;
      const earlier = set === 'test' ? [looked.train, looked.validation] : [looked.train];
      const found = mostAlike(one, earlier.flat());
      if (found) nearest.push({ set, id: one.id, ...found });
      await setImmediate();
    }
  }
  nearest.sort((a, b) => b.likeness - a.likeness || (a.id < b.id ? -1 : 1));
  const count = (set: SplitName): number => nearest.filter((one) => one.set === set).length;
  return {
    compared,
    found: { validation: count('validation'), test: count('test') },
    listed: nearest.slice(0, nearDuplicatesListedMax),
  };
}

/** At most `most` rows, fewer where files are large; evenly over all of them. */
function rowsToLookAt(byteLengths: readonly number[], most: number): number[] {
  const rows = byteLengths.length;
  const bytes = byteLengths.reduce((sum, length) => sum + length, 0);
  const count = Math.min(rows, Math.floor(most * Math.min(1, (meanBytesMax * rows) / Math.max(bytes, 1))));
  return Array.from({ length: count }, (_, i) => Math.floor((i * rows) / count));
}

/** Null for what cannot be opened and for plain surfaces. */
async function look({ manifest, dataRoot }: SplitCheckOptions, set: SplitName, row: number): Promise<Looked | null> {
  const { ids, paths, byteLengths } = manifest.sets[set];
  if ((byteLengths[row] ?? 0) > pictureBytesMax) return null;
  try {
    const print = await fingerprintOf(await readFile(path.resolve(dataRoot, paths[row] as string)));
    return print && { set, id: ids[row] as string, print };
  } catch {
    return null;
  }
}

function mostAlike(one: Looked, others: readonly Looked[]): Pick<NearDuplicate, 'other' | 'likeness'> | null {
  let best: { other: Looked; likeness: number } | null = null;
  for (const other of others) {
    if (hashDistance(one.print, other.print) > distanceMax) continue;
    const found = likeness(one.print, other.print);
    if (found >= likenessMin && (best === null || found > best.likeness)) best = { other, likeness: found };
  }
  if (best === null) return null;
  const { set, id } = best.other;
  return { other: { set, id }, likeness: Math.round(best.likeness * 1e4) / 1e4 };
}
