// What a reader of a data source hands on: every sample with its label's name, before splitting.

import type { SplitName } from '@thaw/common/data/manifest.ts';

export interface ListedSample {
  /** Unique and stable: the path relative to the source's root, or the CSV's id. */
  readonly id: string;
  /** Absolute. */
  readonly file: string;
  readonly label: string;
  /** Samples of one group never lie in two sets. */
  readonly group?: string;
  /** Set by explicit folders or a split column. */
  readonly set?: SplitName;
}
