// What the runtime needs from the world, as small interfaces; adapters/ has the real ones, tests bring their own.

import type { Digest } from '@thaw/common/content/digest.ts';
import type { ErrorCode } from '@thaw/common/errors/catalogue.ts';
import type { BadSamples__Output } from '@thaw/proto/gen/thaw/v1/BadSamples.ts';
import type { CoordinatorMessage } from '@thaw/proto/gen/thaw/v1/CoordinatorMessage.ts';
import type { OutboxEvent } from '../core/event-log.ts';
import type { StageResult } from '../core/kept-stage.ts';
import type { RestorePoint, SeenSamples, Snapshot } from '../core/snapshot.ts';
import type { JobState } from '../core/state.ts';

/** The job's key, written by compare-and-set. */
export interface StateStore {
  /** Throws TermSuperseded when another coordinator wrote, BrokerLost when nothing was answered for too long. */
  save(state: JobState): Promise<void>;
}

export interface EventStream {
  /** Resolves when the stream holds the event; one that it holds already is not added again. */
  append(event: OutboxEvent): Promise<void>;
  /** Writes the event to OUT/events.jsonl alone, unless it is there: for the end of a job whose stream is gone. */
  project(event: OutboxEvent): Promise<void>;
}

/** Open control streams by trainer incarnation. Sending to one that is gone does nothing. */
export interface Sessions {
  send(to: string, message: CoordinatorMessage): void;
  /** Says why and closes. */
  refuse(to: string, code: ErrorCode, message: string): void;
  /** Closes it without a word; who still lives comes again. */
  disconnect(to: string): void;
  /** Number of open streams. */
  open(): number;
  closeAll(): void;
}

export interface ResultExporter {
  /** Writes OUT/model, labels, report and card. Returns the digest over the final weights. */
  export(state: JobState): Promise<{ readonly weightsDigest: string }>;
}

/** Results of stages that were trained before, by this job or another. Neither function throws: what fails is logged. */
export interface StageResults {
  /**
   * The job's first stages whose results are there, in order; `keyAfter` names the next one to look for, null when there
   * is none. The states of the last one are in the job's own blob store when this resolves.
   */
  find(keyAfter: (found: readonly StageResult[]) => string | null): Promise<FoundStages>;
  /** `badSamples`: those that the job has met so far. */
  keep(result: StageResult, badSamples: BadSamples__Output['samples']): Promise<void>;
}

export interface SnapshotStore {
  /** Resolves once the file is on disk, and what it names was read back. Throws StorageFailed or BlobCorrupt. */
  keep(snapshot: Snapshot, badSamples: SeenSamples): Promise<Digest>;
}

/** The newest restore point that is whole, and what it was read from. */
export interface TakenUp {
  /** Null where there is none. */
  readonly snapshot: Snapshot | null;
  readonly restorePoints: readonly RestorePoint[];
  /** All that were met up to the snapshot. */
  readonly badSamples: SeenSamples;
  /** Why newer restore points are of no use, a sentence each. */
  readonly damaged: readonly string[];
}

export interface FoundStages {
  readonly results: readonly StageResult[];
  /** Met up to the end of the last one. */
  readonly badSamples: BadSamples__Output['samples'];
}
