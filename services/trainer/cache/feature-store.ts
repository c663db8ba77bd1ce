// Boundary features by set, sample and view, kept in memory up to a budget, so that no frozen layer runs twice for a
// sample while the boundary stays where it is. What does not fit is computed again; the bits are the same, because
// every prefix block has one fixed size and a sample's features do not depend on its neighbours.

import type { SplitName } from '@thaw/common/data/manifest.ts';
import { invariant } from '@thaw/common/errors/thaw-error.ts';

export interface SampleRef {
  readonly set: SplitName;
  /** Row in the set's columns. */
  readonly index: number;
  readonly view: number;
}

/** A bad sample has no features and no weight. */
export type Features = Float32Array | 'bad';

export interface FeatureStore {
  get(ref: SampleRef): Features | undefined;
  /** Copies the features. Returns false when they do not fit the budget. */
  put(ref: SampleRef, features: Features): boolean;
  /** How many more features of this size the budget has room for. */
  roomFor(bytesEach: number): number;
  clear(): void;
  readonly bytes: number;
}

/** Equal for two refs to the same sample, set and view. */
export function refKey({ set, index, view }: SampleRef): string {
  return `${set}/${index}/${view}`;
}

export function featureStore(budgetBytes: number): FeatureStore {
  const entries = new Map<string, Features>();
  let bytes = 0;
  return {
    get: (ref) => entries.get(refKey(ref)),
    put(ref, features) {
      invariant(!entries.has(refKey(ref)), `the features of ${refKey(ref)} were computed twice`);
      const size = features === 'bad' ? 0 : features.byteLength;
      if (bytes + size > budgetBytes) return false;
      entries.set(refKey(ref), features === 'bad' ? 'bad' : features.slice());
      bytes += size;
      return true;
    },
    roomFor: (bytesEach) => Math.floor((budgetBytes - bytes) / bytesEach),
    clear() {
      entries.clear();
      bytes = 0;
    },
    get bytes() {
      return bytes;
    },
  };
}
