// How much of what a fill wanted the store holds, and what is said when that is not all of it.

import type { FeatureStore } from './feature-store.ts';
import type { Level, SampleRef } from './level.ts';

export interface StoreFit {
  readonly what: 'features' | 'pixels';
  readonly held: number;
  readonly wanted: number;
  readonly heldBytes: number;
  readonly wantedBytes: number;
  /** Whether the disk holds rows too; `left`: what it has is not used, see DiskRows.leave. */
  readonly disk: 'none' | 'used' | 'left';
}

export function fitOf(store: FeatureStore, level: Level, refs: readonly SampleRef[]): Omit<StoreFit, 'what'> {
  const { rowBytes } = level;
  const held = refs.filter((ref) => store.placeOf(level, ref) !== null).length;
  const wanted = refs.length;
  const ofDisk = store.disk?.isLeft(level) ? 'left' : 'used';
  const disk = store.disk === null ? 'none' : ofDisk;
  return { held, wanted, heldBytes: held * rowBytes, wantedBytes: wanted * rowBytes, disk };
}

/** For the log. */
export function fitText({ what, held, wanted, heldBytes, wantedBytes, disk }: StoreFit): string {
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
  const where = disk === 'used' ? 'in memory and on disk' : 'in memory';
  const again = what === 'features' ? 'computed again' : 'decoded again';
  const instead = disk === 'left' ? ', and not read from disk' : '';
  return (
    `the ${what} of ${held} of ${wanted} samples fit ${where} (${megabytes(heldBytes)} MB of ` +
    `${megabytes(wantedBytes)} MB); the others are ${again} in every epoch${instead}`
  );
}
