// What can happen to a job, as the core sees it, and what it wants done in answer. The runtime turns sockets, files
// and timers into events and effects back into messages; nothing here knows how.

import type { Digest } from '@thaw/common/content/digest.ts';
import type { ErrorCode } from '@thaw/common/errors/catalogue.ts';
import type { BadSamples__Output } from '@thaw/proto/gen/thaw/v1/BadSamples.ts';
import type { Failure__Output } from '@thaw/proto/gen/thaw/v1/Failure.ts';
import type { Hello__Output } from '@thaw/proto/gen/thaw/v1/Hello.ts';
import type { Ready__Output } from '@thaw/proto/gen/thaw/v1/Ready.ts';
import type { Report__Output } from '@thaw/proto/gen/thaw/v1/Report.ts';
import type { SnapshotTaken__Output } from '@thaw/proto/gen/thaw/v1/SnapshotTaken.ts';
import type { JobPlan } from './job-plan.ts';
import type { StageResult } from './kept-stage.ts';
import type { RestorePoint, SeenSamples, Snapshot } from './snapshot.ts';
import type { JobState } from './state.ts';

export type CoreEvent =
  /** The coordinator holds the job under its term. */
  | { readonly kind: 'started' }
  /** In the place of `started`, for a job that was begun before and is not finished. */
  | {
      readonly kind: 'resumed';
      /** As prepared now: the same job, perhaps with another number of trainers. */
      readonly plan: JobPlan;
      readonly runToken: string;
      /** The coordinator is the same one: trainers that wait are still there, and as many are wanted as before. */
      readonly isSameReign: boolean;
      /** The newest one that is whole; null starts at the beginning. */
      readonly snapshot: Snapshot | null;
      /** The snapshot's first, then older ones. */
      readonly restorePoints: readonly RestorePoint[];
      readonly badSamples: SeenSamples;
      /** Why newer restore points are of no use, a sentence each. */
      readonly damaged: readonly string[];
    }
  /** Another number of trainers is wanted, within `scaleProblem`. */
  | { readonly kind: 'scale'; readonly replicas: number }
  | { readonly kind: 'hello'; readonly hello: Hello__Output }
  | { readonly kind: 'ready'; readonly from: string; readonly ready: Ready__Output }
  | { readonly kind: 'report'; readonly from: string; readonly report: Report__Output }
  /** Each sample once: the runtime drops repetitions. */
  | { readonly kind: 'badSamples'; readonly from: string; readonly samples: BadSamples__Output['samples'] }
  /** The first stages, in order, whose results were there, and the bad samples met in them that are new here. */
  | {
      readonly kind: 'stagesFound';
      readonly results: readonly StageResult[];
      readonly badSamples: BadSamples__Output['samples'];
    }
  /** Time for one. */
  | { readonly kind: 'snapshotDue' }
  | { readonly kind: 'snapshotTaken'; readonly from: string; readonly taken: SnapshotTaken__Output }
  /** The file of `keepSnapshot` is stored under this digest. */
  | { readonly kind: 'snapshotKept'; readonly digest: Digest; readonly snapshot: Snapshot }
  /** Some trainer has applied this step. */
  | { readonly kind: 'reached'; readonly step: number }
  | { readonly kind: 'failure'; readonly from: string; readonly failure: Failure__Output }
  | { readonly kind: 'goodbye'; readonly from: string; readonly reason: string }
  /** Its launcher has seen the process end. */
  | { readonly kind: 'exited'; readonly name: string; readonly pid: number; readonly reason: string }
  /** Gone: closed and not back in time, or silent. If it comes back, then as one that wants to join. */
  | { readonly kind: 'lost'; readonly from: string; readonly reason: string }
  /** End in good order: with a snapshot, if anything was trained since the last one. */
  | { readonly kind: 'stop'; readonly reason: string }
  | { readonly kind: 'cancel'; readonly reason: string }
  /** The coordinator itself cannot go on: broker gone, disk full. */
  | { readonly kind: 'broken'; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: 'exported'; readonly weightsDigest: string }
  /** The stream holds every outbox entry up to this sequence. */
  | { readonly kind: 'published'; readonly sequence: number };

export type Effect =
  | { readonly kind: 'welcome'; readonly to: string }
  | { readonly kind: 'refuse'; readonly to: string; readonly code: ErrorCode; readonly message: string }
  /** Tell one that is no member any more to leave, under this revision. */
  | { readonly kind: 'release'; readonly to: string; readonly revision: number; readonly reason: string }
  /** Close its stream, should it still be open. */
  | { readonly kind: 'disconnect'; readonly to: string }
  /** Nobody holds the state any more: read the newest snapshot; `resumed` answers. */
  | { readonly kind: 'takeUp' }
  /** Send the current directive now; until it is acknowledged the runtime repeats it by itself. */
  | { readonly kind: 'direct'; readonly to: readonly string[] }
  /** Send the open plan now; until it is answered the runtime repeats it by itself. */
  | { readonly kind: 'plan'; readonly to: readonly string[] }
  /** Store the snapshot's file; `snapshotKept` answers. */
  | { readonly kind: 'keepSnapshot'; readonly snapshot: Snapshot }
  /** Look for results of this job's stages; `stagesFound` answers. */
  | { readonly kind: 'findStages' }
  | { readonly kind: 'keepStage'; readonly result: StageResult }
  | { readonly kind: 'export' }
  /** A stored state that nothing refers to any more. */
  | { readonly kind: 'discard'; readonly digest: string }
  /** Another coordinator reigns; leave without touching anything. */
  | { readonly kind: 'superseded'; readonly term: number }
  /** The job is over; say goodbye and exit. */
  | { readonly kind: 'ended' };

export interface Decision {
  readonly state: JobState;
  readonly effects: readonly Effect[];
}
