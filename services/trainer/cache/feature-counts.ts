// What the cache did since it was last asked: how often frozen layers ran, and what was read instead.

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
  /** Seconds of computing rows, decoding included, and of how many; likewise of reading rows from disk. */
  computeSeconds: number;
  timedRows: number;
  readSeconds: number;
}

const none = {
  memoryHits: 0,
  diskHits: 0,
  misses: 0,
  decoded: 0,
  pixelHits: 0,
  corrupt: 0,
  computeSeconds: 0,
  timedRows: 0,
  readSeconds: 0,
};

export function noFeatureCounts(): FeatureCounts {
  return { computed: new Map(), ...none };
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

/** Samples that were read instead of computed, and about how many seconds that saved. */
export function savedBy(counts: FeatureCounts): { samples: number; seconds: number } {
  const { memoryHits, diskHits, computeSeconds, timedRows, readSeconds } = counts;
  const samples = Math.max(0, memoryHits + diskHits - samplesComputed(counts));
  const each = timedRows > 0 ? computeSeconds / timedRows : 0;
  return { samples, seconds: Math.max(0, samples * each - readSeconds) };
}
