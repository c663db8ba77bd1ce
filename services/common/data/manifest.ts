// A data set as columns: which samples there are, what they are, and which set they belong to. Built once by the
// coordinator, stored as an artifact, fetched by every trainer; it holds no pixel.

import { invariant } from '../errors/thaw-error.ts';

export const dataManifestVersion = 1;

export const splitNames = ['train', 'validation', 'test'] as const;
export type SplitName = (typeof splitNames)[number];

/** The split of the job's own samples, and those of the old task where it keeps an eye on them. */
export const setNames = [...splitNames, 'retention'] as const;
export type SetName = (typeof setNames)[number];

/** A value for each set; none for the old task's in jobs without retention. */
export type PerSet<T> = Readonly<Record<SplitName, T>> & { readonly retention?: T };

export interface DataManifest {
  readonly version: typeof dataManifestVersion;
  /** Class names; a label is an index into it. */
  readonly classes: readonly string[];
  /** Labels of `retention` are classes of the source model. */
  readonly sets: PerSet<SampleColumns>;
  /** sha256 over every sample's id, label, set and content digest, in byte order of the ids. */
  readonly digest: string;
}

/** Parallel columns, one entry a sample, in byte order of the ids. */
export interface SampleColumns {
  /** Stable identity: the path relative to the source's root, or the CSV's id column. */
  readonly ids: readonly string[];
  /** Where the bytes are: a path relative to the source's root, or absolute. */
  readonly paths: readonly string[];
  readonly labels: readonly number[];
  readonly byteLengths: readonly number[];
  /** First 32 hex digits of the sha256 of the bytes; absent where files were only named. */
  readonly contents?: readonly string[];
}

export const contentDigits = 32;

/** The columns of a set that the job has. */
export function columnsOf({ sets }: Pick<DataManifest, 'sets'>, set: SetName): SampleColumns {
  const columns = sets[set];
  invariant(columns !== undefined, `the job has no set "${set}"`);
  return columns;
}
