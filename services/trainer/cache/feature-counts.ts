// What the cache did since it was last asked: how often frozen layers ran, and what was read instead.

import { type CostsByLevel, type Savings, savingsOf } from './level-costs.ts';

/** What was chosen for rows of a level that another process left on disk, and the seconds of one sample. */
export interface FeatureChoice {
  readonly level: string;
  /** From disk; else they are computed again. */
  readonly reads: boolean;
  /** They are not what this engine computes. */
  readonly otherBits: boolean;
  readonly readSeconds: number;
  readonly computeSeconds: number;
}

export interface FeatureCounts {
  /** Samples whose frozen layers ran, by what they started from: `pixels`, or the stored boundary. */
  readonly computed: Map<string, number>;
  /** Rows that training and evaluation read, by where they were held. */
  memoryHits: number;
  diskHits: number;
  /** Rows computed for one use, because they did not fit. */
  misses: number;
  /** Pictures decoded, and pictures whose pixels were held. */
  decoded: number;
  pixelHits: number;
  /** Entries on disk that their checksum refused. */
  corrupt: number;
  /** Samples that were computed only to compare rows on disk with, and what came of it. */
  proved: number;
  choices: readonly FeatureChoice[];
  /** Of the whole process: taking the counts leaves it as it is. */
  readonly costs: CostsByLevel;
  /** What takeSavings() has handed out so far. */
  toldSavings: Savings;
}

const none = {
  memoryHits: 0,
  diskHits: 0,
  misses: 0,
  decoded: 0,
  pixelHits: 0,
  corrupt: 0,
  proved: 0,
  choices: [],
};

export function noFeatureCounts(): FeatureCounts {
  return { computed: new Map(), ...none, costs: new Map(), toldSavings: { samples: 0, seconds: 0 } };
}

export function addComputed({ computed }: FeatureCounts, from: string, samples: number): void {
  if (samples > 0) computed.set(from, (computed.get(from) ?? 0) + samples);
}

/** Samples whose frozen layers ran, whatever they started from. */
export function samplesComputed({ computed }: FeatureCounts): number {
  return [...computed.values()].reduce((sum, samples) => sum + samples, 0);
}

/** Hands the counts over and starts again from 0. */
export function takeCounts(counts: FeatureCounts): FeatureCounts {
  const taken = { ...counts, computed: new Map(counts.computed) };
  counts.computed.clear();
  Object.assign(counts, none);
  return taken;
}

/** What the cache spared since this was last asked. An estimate that falls, as costs are measured again, adds nothing. */
export function takeSavings(counts: FeatureCounts): Savings {
  const { costs, toldSavings: told } = counts;
  const found = savingsOf(costs);
  const total = { samples: Math.max(told.samples, found.samples), seconds: Math.max(told.seconds, found.seconds) };
  counts.toldSavings = total;
  return { samples: total.samples - told.samples, seconds: total.seconds - told.seconds };
}
