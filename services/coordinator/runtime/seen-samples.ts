// A bad sample is met again in every epoch, view and process; the job counts it once. Bounded: past the limit the job
// has failed long before.

import type { BadSamples__Output } from '@thaw/proto/gen/thaw/v1/BadSamples.ts';

const samplesMax = 1_000_000;

type Samples = BadSamples__Output['samples'];

export interface SeenSamples {
  /** Those of them that are new. */
  firstSeen(samples: Samples): Samples;
  all(): Samples;
}

/** `before`: met in an earlier run of the job. */
export function createSeenSamples(before: Samples = []): SeenSamples {
  const seen = new Map<string, Samples[number]>();
  const firstSeen = (samples: Samples): Samples =>
    samples.filter((sample) => {
      const key = `${sample.split}/${sample.id}`;
      if (seen.has(key) || seen.size >= samplesMax) return false;
      seen.set(key, sample);
      return true;
    });
  firstSeen(before);
  return { firstSeen, all: () => [...seen.values()] };
}
