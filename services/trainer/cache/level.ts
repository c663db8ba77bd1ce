// What the cache holds: rows. A level is one kind of row of every sample, such as the features at one boundary of one
// network with certain weights, or decoded pixels; a ref names the sample and its view.

import type { SetName } from '@thaw/common/data/manifest.ts';

export interface SampleRef {
  readonly set: SetName;
  /** Row in the set's columns. */
  readonly index: number;
  readonly view: number;
}

/** Equal for two refs to the same sample, set and view. */
export function refKey({ set, index, view }: SampleRef): string {
  return `${set}/${index}/${view}`;
}

export interface Level {
  /** Hex sha256 of everything but the sample that decides the rows' bits: weights, topology, preprocessing, engine. */
  readonly key: string;
  /** For people: the boundary's layers, or `pixels`. */
  readonly name: string;
  readonly rowBytes: number;
}

/** A bad sample has no features and no weight. */
export type Row = Uint8Array | 'bad';

export type Entry = readonly [ref: SampleRef, row: Row];

/** The rows of a level that are wanted, held already or not. */
export interface Demand {
  readonly level: Level;
  readonly refs: readonly SampleRef[];
}
