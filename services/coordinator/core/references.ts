// Which blobs a job still needs beside its artifacts. What a decision makes useless is dropped, once it is stored.

import type { Digest } from '@thaw/common/content/digest.ts';
import { sourceState } from '@thaw/proto/source-state.ts';
import type { Effect } from './events.ts';
import { lastStanding } from './standing.ts';
import type { JobState, Work } from './state.ts';

/**
 * The last state, the current stage's best one, that of the last stage before it which stands, because this one may be
 * undone, and what the current stage began with. Nothing goes back further; of stages that were reused no more is there.
 */
export function statesNamed({ stages, held }: Pick<JobState, 'stages' | 'held'>): readonly Digest[] {
  const current = stages.at(-1);
  const before = lastStanding(stages.slice(0, -1));
  return [held, current?.best?.stored, before?.best?.stored, current?.entry].flatMap((stored) => stored?.digest ?? []);
}

/** Digests of stored states and of snapshots, of those too that may still come: what their schedule names has to be there. */
export function referenced(state: JobState): ReadonlySet<string> {
  const { restorePoints, pending, directive } = state;
  const points = restorePoints.flatMap(({ digest, states }) => [digest, ...states]);
  const awaited = pending.schedules.flatMap(({ schedule }) => statesNamed(schedule));
  const written = pending.writing.flatMap((snapshot) => [snapshot.state.digest, ...statesNamed(snapshot.schedule)]);
  const restored = restoredBy(directive?.work);
  return new Set([...points, ...restored, ...awaited, ...written, ...statesNamed(state)]);
}

/** What training is to begin with, whoever has restored it already. */
function restoredBy(work: Work | undefined): readonly string[] {
  const train = work && 'train' in work ? work.train : null;
  return train && !['', sourceState].includes(train.restoreDigest) ? [train.restoreDigest] : [];
}

export function discards(before: JobState, after: JobState): readonly Effect[] {
  const isSame =
    before.restorePoints === after.restorePoints &&
    before.directive === after.directive &&
    before.stages === after.stages &&
    before.held === after.held &&
    before.pending.schedules === after.pending.schedules &&
    before.pending.writing === after.pending.writing;
  if (isSame) return [];
  const needed = referenced(after);
  const useless = [...referenced(before)].filter((digest) => !needed.has(digest));
  return useless.map((digest) => ({ kind: 'discard', digest }));
}
