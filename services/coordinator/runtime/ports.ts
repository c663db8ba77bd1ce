// What the runtime needs from the world, as small interfaces; adapters/ has the real ones, tests bring their own.

import type { ErrorCode } from '@thaw/common/errors/catalogue.ts';
import type { CoordinatorMessage } from '@thaw/proto/gen/thaw/v1/CoordinatorMessage.ts';
import type { OutboxEvent } from '../core/event-log.ts';
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
  /** Number of open streams. */
  open(): number;
  closeAll(): void;
}

export interface ResultExporter {
  /** Writes OUT/model, labels, report and card. Returns the digest over the final weights. */
  export(state: JobState): Promise<{ readonly weightsDigest: string }>;
}
