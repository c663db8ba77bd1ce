// The job's event log, as entries of an outbox inside the stored state: an entry exists once the state that holds it
// is stored, and leaves the outbox once the stream has acknowledged it. OUT/events.jsonl, the page and the report show
// these entries and nothing else.

import type { EngineClass__Output } from '@thaw/proto/gen/thaw/v1/EngineClass.ts';
import type {
  BadSamples,
  JobFailure,
  JobState,
  Metrics,
  RankedBlock,
  Retention,
  RolledBack,
  StepParts,
} from './state.ts';

export interface OutboxEvent {
  /** `term.sequence`; by it the stream knows what is published a second time. */
  readonly id: string;
  readonly sequence: number;
  /** Milliseconds since 1970, for people; nothing is decided by it. */
  readonly at: number;
  readonly entry: LogEntry;
}

export type LogEntry =
  | {
      readonly kind: 'jobStarted';
      readonly uid: string;
      readonly name: string;
      readonly jobDigest: string;
      readonly trainers: number;
      readonly shards: number;
      readonly stages: readonly string[];
      /** What the user must not overlook, a sentence each. */
      readonly warnings?: readonly string[];
    }
  | {
      readonly kind: 'jobResumed';
      readonly term: number;
      readonly trainers: number;
      /** Steps that were done before the stop and are done again; as of its last second. */
      readonly stepsRedone: number;
      /** Entered before the stop, the current one last. */
      readonly stages: readonly ResumedStage[];
      readonly stagesTotal: number;
      /** Where training goes on: after this step. */
      readonly stage: number;
      readonly epoch: number;
      readonly epochInStage: number;
      readonly step: number;
      /** Why newer snapshots are of no use, a sentence each. */
      readonly damaged?: readonly string[];
    }
  | { readonly kind: 'trainerJoined'; readonly trainer: string; readonly incarnation: string; readonly pid: number }
  | {
      readonly kind: 'trainerReady';
      readonly trainer: string;
      readonly engineClass: EngineClass__Output;
      readonly probeDigest: string;
    }
  /** Gone without a word, or with an error of its own. */
  | { readonly kind: 'trainerLost'; readonly trainer: string; readonly pid: number; readonly reason: string }
  /** Asked to leave, or told that it is not wanted any more. */
  | { readonly kind: 'trainerLeft'; readonly trainer: string; readonly pid: number; readonly reason: string }
  | { readonly kind: 'trainersScaled'; readonly from: number; readonly to: number }
  /** Too few trainers are left; training goes on by itself as soon as there are enough. */
  | { readonly kind: 'trainingPaused'; readonly reason: string; readonly step: number }
  | { readonly kind: 'trainerRefused'; readonly trainer: string; readonly code: string; readonly message: string }
  | {
      readonly kind: 'generationStarted';
      readonly generation: number;
      readonly trainers: readonly string[];
      readonly shardOwners: readonly number[];
      readonly firstStep: number;
      readonly reason: string;
    }
  | { readonly kind: 'oldTaskMeasured'; readonly oldTask: Metrics }
  | {
      readonly kind: 'stageStarted';
      readonly stage: number;
      readonly name: string;
      readonly epochsMax: number;
      readonly stepsMax: number;
    }
  | {
      readonly kind: 'stageReused';
      readonly stage: number;
      readonly name: string;
      /** The job that has trained it: its name and uid. */
      readonly job: string;
      readonly uid: string;
      /** When, ISO 8601. */
      readonly trainedAt: string;
      readonly epochs: number;
      /** Job-global. */
      readonly lastEpoch: number;
      readonly steps: number;
      readonly reason: string;
      readonly bestEpoch: number;
      readonly bestValue: number;
      /** Of the best epoch. */
      readonly validation: Metrics | null;
      /** What it took then. */
      readonly seconds: number;
      /** Of a stage that was undone then. */
      readonly rolledBack?: RolledBack;
    }
  | {
      readonly kind: 'epochTrained';
      readonly stage: number;
      readonly epoch: number;
      readonly step: number;
      readonly loss: number;
      readonly accuracy: number;
      readonly learningRate: number;
      readonly seconds: number;
      readonly secondsByPart: StepParts;
      readonly reducedBytes: number;
    }
  | {
      readonly kind: 'epochEvaluated';
      readonly stage: number;
      readonly epoch: number;
      readonly validation: Metrics;
      readonly best: boolean;
      /** Of jobs with retention. */
      readonly retention?: Retention;
    }
  | {
      readonly kind: 'stateStored';
      readonly stage: number;
      readonly epoch: number;
      readonly digest: string;
      readonly bytes: number;
      readonly best: boolean;
    }
  | {
      readonly kind: 'snapshotStored';
      readonly stage: number;
      readonly epoch: number;
      readonly step: number;
      readonly digest: string;
      /** Of the state that it names. */
      readonly bytes: number;
      /** How long training stood still for it. */
      readonly pauseSeconds: number;
    }
  | {
      readonly kind: 'stageEnded';
      readonly stage: number;
      readonly name: string;
      readonly reason: string;
      readonly bestEpoch: number;
      readonly bestValue: number;
      readonly seconds: number;
      /** Of a stage that was undone; its best epoch is what it found. */
      readonly rolledBack?: RolledBack;
    }
  | {
      readonly kind: 'blocksRanked';
      /** With whose best weights. */
      readonly stage: number;
      readonly samples: number;
      /** First to thaw first. */
      readonly blocks: readonly RankedBlock[];
    }
  | {
      readonly kind: 'badSamples';
      readonly samples: BadSamples['listed'];
      /** Counted beside those that are named. */
      readonly more?: number;
    }
  | { readonly kind: 'calibrated'; readonly temperature: number; readonly samples: number }
  | { readonly kind: 'tested'; readonly test: Metrics; readonly epoch: number }
  | { readonly kind: 'jobSucceeded'; readonly weightsDigest: string; readonly steps: number }
  | ({ readonly kind: 'jobFailed' } & JobFailure)
  | { readonly kind: 'jobCancelled'; readonly reason: string };

export interface ResumedStage {
  readonly stage: number;
  readonly name: string;
  /** Job-global. */
  readonly firstEpoch: number;
  readonly best: { readonly epoch: number; readonly validation: Metrics } | null;
}

/** Entries that wait for the stream; more means that the broker takes none, and the job stops. */
export const outboxEventsMax = 1000;

export function record(state: JobState, now: number, entry: LogEntry): JobState {
  const sequence = state.eventSequence + 1;
  const event: OutboxEvent = { id: `${state.term}.${sequence}`, sequence, at: now, entry };
  return { ...state, eventSequence: sequence, outbox: [...state.outbox, event] };
}

/**
 * Goes on after what the file holds: that was said. It may be ahead of the stored state, because how a run ends goes to
 * the file even when nothing can be stored any more; what comes then must not take those numbers again.
 */
export function continueLog(state: JobState, written: number): JobState {
  const outbox = state.outbox.filter(({ sequence }) => sequence > written);
  return { ...state, outbox, eventSequence: Math.max(state.eventSequence, written) };
}

/** One line of events.jsonl. */
export function eventLine({ id, sequence, at, entry }: OutboxEvent): string {
  const { kind, ...fields } = entry;
  return JSON.stringify({ id, sequence, at: new Date(at).toISOString(), kind, ...fields });
}
