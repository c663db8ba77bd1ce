// A bad sample is met again in every epoch, view and process; the job counts it once. Bounded: past the limit the job
// has failed long before.

import type { BadSamples__Output } from '@thaw/proto/gen/thaw/v1/BadSamples.ts';

const samplesMax = 1_000_000;

export function createSeenSamples(): (samples: BadSamples__Output['samples']) => BadSamples__Output['samples'] {
  const seen = new Set<string>();
  return (samples) =>
    samples.filter(({ split, id }) => {
      const key = `${split}/${id}`;
      if (seen.has(key) || seen.size >= samplesMax) return false;
      seen.add(key);
      return true;
    });
}
