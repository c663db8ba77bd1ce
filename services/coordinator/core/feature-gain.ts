// What the feature cache brought, added up over members and directives. For the report alone: no decision reads it, as
// times and what a disk held may differ between two runs of one job.

import type { FeatureWork__Output } from '@thaw/proto/gen/thaw/v1/FeatureWork.ts';

export interface FeatureGain {
  /** Samples whose frozen layers ran. */
  readonly computed: number;
  /** Times that a sample's features were read instead of computed. */
  readonly read: number;
  /** Times that they were computed for one use, because they fitted nowhere. */
  readonly misses: number;
  /** Damaged entries on disk, computed again. */
  readonly corrupt: number;
  /** Most that all members together held in memory. */
  readonly memoryBytes: number;
  readonly writtenBytes: number;
  /** Over all members; an estimate. */
  readonly savedSeconds: number;
}

export const noFeatureGain: FeatureGain = {
  computed: 0,
  read: 0,
  misses: 0,
  corrupt: 0,
  memoryBytes: 0,
  writtenBytes: 0,
  savedSeconds: 0,
};

/** `works`: of one directive, one of each member. */
export function addFeatureWork(gain: FeatureGain, works: readonly FeatureWork__Output[]): FeatureGain {
  const sum = (field: keyof FeatureGain): number => works.reduce((total, work) => total + Number(work[field]), 0);
  return {
    computed: gain.computed + sum('computed'),
    read: gain.read + sum('read'),
    misses: gain.misses + sum('misses'),
    corrupt: gain.corrupt + sum('corrupt'),
    memoryBytes: Math.max(gain.memoryBytes, sum('memoryBytes')),
    writtenBytes: gain.writtenBytes + sum('writtenBytes'),
    savedSeconds: gain.savedSeconds + sum('savedSeconds'),
  };
}
