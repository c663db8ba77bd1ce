// Results of the directive under way, one per member, set once. Not stored: after a restart the directive goes out
// again and every trainer repeats the report it holds.

import type { SparseCounts } from '@thaw/common/evaluation/sparse-counts.ts';
import type { Report__Output } from '@thaw/proto/gen/thaw/v1/Report.ts';
import type { SnapshotTaken__Output } from '@thaw/proto/gen/thaw/v1/SnapshotTaken.ts';
import type { Schedule, Snapshot } from './snapshot.ts';
import type { Generation, JobState } from './state.ts';
import type { TestFigures } from './test-figures.ts';

export type Result = Pick<
  Report__Output,
  'trained' | 'evaluated' | 'stored' | 'finished' | 'ranked' | 'halted' | 'result'
> &
  Partial<Pick<Report__Output, 'features'>>;

export interface Pending {
  /** By incarnation. */
  readonly results: Readonly<Record<string, Result>>;
  /** What the newest training directives stand on, by revision; see schedulesKeptMax. */
  readonly schedules: readonly { readonly revision: number; readonly schedule: Schedule }[];
  /** Snapshots that not all members have answered for yet; answers by incarnation. */
  readonly snapshots: readonly {
    readonly revision: number;
    readonly step: number;
    readonly answers: Readonly<Record<string, SnapshotTaken__Output>>;
  }[];
  /** States that were stored for snapshots which came to nothing. They go with the next restore point, not at once: whoever
   * trains the same step again stores the same bytes again. */
  readonly dropped: readonly { readonly digest: string; readonly step: number }[];
  /** Snapshots that all have answered for, while their files are written. */
  readonly writing: readonly Snapshot[];
  /** Of the test set, once it is known, cell = truth * classes + prediction; for the report alone, so it is not stored. */
  readonly testConfusion: SparseCounts | null;
  /** Of the test set, once it is known; for the report alone, so it is not stored. */
  readonly testFigures: TestFigures | null;
}

export const nothingPending: Pending = {
  results: {},
  schedules: [],
  snapshots: [],
  dropped: [],
  writing: [],
  testConfusion: null,
  testFigures: null,
};

/** The first report of a member counts; a repetition changes nothing. */
export function withResult(state: JobState, from: string, result: Result): JobState {
  if (state.pending.results[from]) return state;
  return { ...state, pending: { ...state.pending, results: { ...state.pending.results, [from]: result } } };
}

/** In the generation's order of members; null while one is missing. */
export function allResults(state: JobState, generation: Generation): readonly Result[] | null {
  const results = generation.members.map(({ incarnation }) => state.pending.results[incarnation]);
  return results.every((result) => result !== undefined) ? results : null;
}
