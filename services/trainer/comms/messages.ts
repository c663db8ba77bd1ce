// What the compute thread and the comms thread say to each other. Bulk gradients go through the collective's shared
// buffers and progress through the board; everything here is small or transferred.

import type { MessagePort } from 'node:worker_threads';
import type { Directive__Output } from '@thaw/proto/gen/thaw/v1/Directive.ts';
import type { Plan__Output } from '@thaw/proto/gen/thaw/v1/Plan.ts';
import type { TrainerMessage } from '@thaw/proto/gen/thaw/v1/TrainerMessage.ts';
import type { Welcome__Output } from '@thaw/proto/gen/thaw/v1/Welcome.ts';

export interface CommsOptions {
  /** host:port of the coordinator. */
  readonly coordinator: string;
  readonly name: string;
  readonly incarnation: string;
  readonly logFile: string | undefined;
  readonly cacheDirectory: string;
  /** Progress board, see progress-board.ts. */
  readonly board: SharedArrayBuffer;
  /** Int32 [newest directive revision]: lets compute see that its work was superseded. */
  readonly fence: SharedArrayBuffer;
}

export type ToComms =
  | { readonly kind: 'send'; readonly message: TrainerMessage }
  | { readonly kind: 'startCollective'; readonly port: MessagePort; readonly welcome: Welcome__Output }
  | { readonly kind: 'fetch'; readonly id: number; readonly digest: string; readonly cached: boolean }
  /** Without `keep` only the digest is asked for. */
  | { readonly kind: 'store'; readonly id: number; readonly bytes: Uint8Array; readonly keep: boolean }
  | { readonly kind: 'observe'; readonly observation: Observation }
  | { readonly kind: 'close' };

export type FromComms =
  | { readonly kind: 'started'; readonly metricsPort: number }
  | { readonly kind: 'welcome'; readonly welcome: Welcome__Output }
  | { readonly kind: 'directive'; readonly directive: Directive__Output }
  | { readonly kind: 'plan'; readonly plan: Plan__Output }
  | { readonly kind: 'fetched'; readonly id: number; readonly bytes: Uint8Array }
  | { readonly kind: 'stored'; readonly id: number; readonly digest: string; readonly bytes: number }
  | { readonly kind: 'refused'; readonly id: number; readonly code: string; readonly message: string }
  | { readonly kind: 'fatal'; readonly code: string; readonly message: string }
  | { readonly kind: 'closed' };

/** One finished piece of work, for the metrics. */
export type Observation =
  | {
      readonly kind: 'step';
      readonly samples: number;
      readonly reducedBytes: number;
      readonly seconds: Readonly<Record<StepPart, number>>;
    }
  | {
      readonly kind: 'features';
      /** Rows and pictures that were held. */
      readonly hits: Readonly<Record<'memory' | 'disk' | 'pixels', number>>;
      /** Samples whose frozen layers ran, by what they started from. */
      readonly computed: readonly (readonly [from: string, samples: number])[];
      readonly misses: number;
      /** Pictures, and entries on disk that were damaged. */
      readonly decoded: number;
      readonly corrupt: number;
      /** Held in memory now, and written to disk since the start. */
      readonly bytes: Readonly<Record<'memory' | 'written', number>>;
    }
  | { readonly kind: 'badSample'; readonly set: string }
  /** How long training stood still for it, and what it took. */
  | { readonly kind: 'snapshot'; readonly pauseSeconds: number; readonly bytes: number }
  | { readonly kind: 'engine'; readonly tensors: number; readonly bytes: number };

export const stepParts = ['data', 'features', 'compute', 'exchange', 'apply'] as const;
export type StepPart = (typeof stepParts)[number];
