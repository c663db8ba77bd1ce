// Unreadable samples are counted, the first ones named, and over the job's limit it fails and lists them.

import { type SetName, setNames } from '@thaw/common/data/manifest.ts';
import type { BadSamples__Output } from '@thaw/proto/gen/thaw/v1/BadSamples.ts';
import { record } from './event-log.ts';
import type { Decision } from './events.ts';
import { fail } from './failing.ts';
import { isTerminal, type JobState } from './state.ts';

export const badSamplesListedMax = 200;
const badSamplesInMessage = 20;
const reasonCharactersMax = 200;

/** `samples`: each once. */
export function countBadSamples(state: JobState, now: number, samples: BadSamples__Output['samples']): Decision {
  const known = samples.flatMap(({ split, id, reason }) =>
    isSet(split) ? [{ split, id, reason: reason.slice(0, reasonCharactersMax) }] : [],
  );
  if (known.length === 0 || isTerminal(state)) return { state, effects: [] };
  const counts = { ...state.badSamples.counts };
  for (const { split } of known) counts[split] = (counts[split] ?? 0) + 1;
  const listed = [...state.badSamples.listed, ...known].slice(0, badSamplesListedMax);
  const named = known.slice(0, badSamplesListedMax);
  const more = known.length - named.length;
  const counted = record({ ...state, badSamples: { counts, listed } }, now, {
    kind: 'badSamples',
    samples: named,
    ...(more > 0 && { more }),
  });
  const over = setNames.find((set) => (counts[set] ?? 0) > state.plan.maxBadSamples * (state.plan.samples[set] ?? 0));
  if (!over) return { state: counted, effects: [] };
  return fail(counted, now, { code: 'TooManyBadSamples', message: overLimit(counted, over) });
}

function overLimit({ plan, badSamples }: JobState, split: SetName): string {
  const ofSplit = badSamples.listed.filter((sample) => sample.split === split);
  const lines = ofSplit.slice(0, badSamplesInMessage).map(({ id, reason }) => `  ${id}: ${reason}`);
  const count = badSamples.counts[split] ?? 0;
  const more = count > lines.length ? [`  and ${count - lines.length} more`] : [];
  return [
    `${count} of ${plan.samples[split]} ${split} samples are unreadable; data.maxBadSamples allows ${plan.maxBadSamples * 100} %:`,
    ...lines,
    ...more,
  ].join('\n');
}

function isSet(text: string): text is SetName {
  return (setNames as readonly string[]).includes(text);
}
