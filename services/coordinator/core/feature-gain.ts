// What the feature cache brought, added up over members and directives. For the report alone: no decision reads it, as
// times and what a disk held may differ between two runs of one job.

import type { FeatureChoice__Output } from '@thaw/proto/gen/thaw/v1/FeatureChoice.ts';
import type { FeatureWork__Output } from '@thaw/proto/gen/thaw/v1/FeatureWork.ts';

export interface FeatureGain {
  /** Samples whose frozen layers ran. */
  readonly computed: number;
  /** Times that a held row was used beyond the one that it was computed for: a computation less each. */
  readonly read: number;
  /** All times that a held row was used, by where it was held. */
  readonly fromMemory: number;
  readonly fromDisk: number;
  /** Times that they were computed for one use, because they fitted nowhere. */
  readonly misses: number;
  /** Damaged entries on disk, computed again. */
  readonly corrupt: number;
  /** Most that all members together held in memory. */
  readonly memoryBytes: number;
  readonly writtenBytes: number;
  /** Over all members, read x (seconds of computing a sample - seconds of reading it), as they measured them. */
  readonly savedSeconds: number;
  /** Samples computed only to compare rows on disk with, not among `computed`. */
  readonly proved: number;
  /** What members chose for rows that an earlier process left on disk. */
  readonly choices: readonly LevelChoice[];
}

/** Members that chose alike for one boundary, and their mean times of a sample. */
export interface LevelChoice {
  readonly level: string;
  readonly chosen: 'read' | 'compute';
  /** Rows on disk were not what the engine computes. */
  readonly otherBits: boolean;
  readonly times: number;
  readonly readSeconds: number;
  readonly computeSeconds: number;
}

export const noFeatureGain: FeatureGain = {
  computed: 0,
  read: 0,
  fromMemory: 0,
  fromDisk: 0,
  misses: 0,
  corrupt: 0,
  memoryBytes: 0,
  writtenBytes: 0,
  savedSeconds: 0,
  proved: 0,
  choices: [],
};

/** `works`: of one directive, one of each member. */
export function addFeatureWork(gain: FeatureGain, works: readonly FeatureWork__Output[]): FeatureGain {
  const sum = (field: Exclude<keyof FeatureWork__Output, 'choices'>): number =>
    works.reduce((total, work) => total + Number(work[field]), 0);
  return {
    computed: gain.computed + sum('computed'),
    read: gain.read + sum('read'),
    fromMemory: gain.fromMemory + sum('memoryHits'),
    fromDisk: gain.fromDisk + sum('diskHits'),
    misses: gain.misses + sum('misses'),
    corrupt: gain.corrupt + sum('corrupt'),
    memoryBytes: Math.max(gain.memoryBytes, sum('memoryBytes')),
    writtenBytes: gain.writtenBytes + sum('writtenBytes'),
    savedSeconds: gain.savedSeconds + sum('savedSeconds'),
    proved: gain.proved + sum('proved'),
    choices: works.flatMap(({ choices }) => choices).reduce(withChoice, gain.choices),
  };
}

/** At most three entries a boundary, however often it is opened. */
function withChoice(choices: readonly LevelChoice[], made: FeatureChoice__Output): readonly LevelChoice[] {
  const { level, otherBits, readSeconds, computeSeconds } = made;
  const chosen = made.reads ? 'read' : 'compute';
  const isAlike = (one: LevelChoice): boolean =>
    one.level === level && one.chosen === chosen && one.otherBits === otherBits;
  const before = choices.find(isAlike);
  if (!before) return [...choices, { level, chosen, otherBits, times: 1, readSeconds, computeSeconds }];
  const times = before.times + 1;
  const mean = (then: number, now: number): number => then + (now - then) / times;
  const merged = {
    ...before,
    times,
    readSeconds: mean(before.readSeconds, readSeconds),
    computeSeconds: mean(before.computeSeconds, computeSeconds),
  };
  return choices.map((one) => (isAlike(one) ? merged : one));
}
