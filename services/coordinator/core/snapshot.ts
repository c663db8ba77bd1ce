// A snapshot: the tensors of one step, stored by a trainer, and the schedule as it stood then, so that training goes on
// from both as if nothing had happened. It is a small file of its own that names the state by digest; a restore point
// names the file.

import type { Digest } from '@thaw/common/content/digest.ts';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { numericsVersion } from '@thaw/common/job/result-facts.ts';
import type { BadSamples__Output } from '@thaw/proto/gen/thaw/v1/BadSamples.ts';
import type { EpochSums__Output } from '@thaw/proto/gen/thaw/v1/EpochSums.ts';
import { statesNamed } from './references.ts';
import type { JobState } from './state.ts';

const snapshotVersion = 1;
const snapshotKind = 'thaw-snapshot';

/** What was decided up to the directive that the snapshot's step belongs to. */
export interface Schedule extends Pick<JobState, 'cursor' | 'stages' | 'held' | 'startedAt'> {
  readonly oldTask?: NonNullable<JobState['oldTask']>;
}

export interface Snapshot {
  readonly jobDigest: string;
  readonly state: { readonly digest: Digest; readonly bytes: number };
  /** Last step that the state holds, and the sums over its epoch up to it. */
  readonly step: number;
  readonly sums: EpochSums__Output;
  readonly schedule: Schedule;
  /** How long training stood still for it, on the member that took longest. */
  readonly pauseSeconds: number;
  /** Milliseconds since 1970; for people and for durations. */
  readonly at: number;
}

/** Where a job can go on from. */
export interface RestorePoint {
  /** Of the snapshot's file. */
  readonly digest: Digest;
  readonly stage: number;
  readonly epoch: number;
  readonly step: number;
  /** All stored states that the snapshot names: its own first. */
  readonly states: readonly Digest[];
}

export type SeenSamples = BadSamples__Output['samples'];

export function scheduleOf({ cursor, stages, held, startedAt, oldTask }: JobState): Schedule {
  return { cursor, stages, held, startedAt, ...(oldTask && { oldTask }) };
}

export function statesIn({ state, schedule }: Snapshot): readonly Digest[] {
  return [...new Set([state.digest, ...statesNamed(schedule)])];
}

/** `badSamples`: all that the job has met so far. */
export function encodeSnapshot(snapshot: Snapshot, badSamples: SeenSamples): string {
  return JSON.stringify({ kind: snapshotKind, version: snapshotVersion, numericsVersion, snapshot, badSamples });
}

/** Throws VersionUnknown, also when it is of a Thaw that computed other bits. The bytes are those of the digest. */
export function decodeSnapshot(
  text: string,
  what: string,
): { readonly snapshot: Snapshot; readonly badSamples: SeenSamples } {
  const file = JSON.parse(text) as Record<string, unknown>;
  if (file.kind !== snapshotKind || file.version !== snapshotVersion) {
    const found = `${file.kind ?? 'no kind'} version ${file.version ?? 'none'}`;
    throw new ThawError(
      'VersionUnknown',
      `${what}: found ${found}; expected ${snapshotKind} version ${snapshotVersion}`,
    );
  }
  if (file.numericsVersion !== numericsVersion) {
    throw new ThawError(
      'VersionUnknown',
      `${what}: found numerics version ${file.numericsVersion}; this Thaw computes the bits of version ${numericsVersion}, ` +
        'so the run has to be finished by the Thaw that began it',
    );
  }
  return file as unknown as { snapshot: Snapshot; badSamples: SeenSamples };
}
