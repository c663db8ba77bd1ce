// What compute and comms say to each other about an exchange. Vectors lie in the shared memory; everything here is
// small. `opening` numbers the calls of open, so that words about an earlier one are known and dropped.

import type { Announcement } from '@thaw/proto/frames/announcement.ts';
import type { Generation } from './collective.ts';
import type { Outcome } from './core/exchange.ts';
import type { SharedMemory } from './shared-buffers.ts';

export interface Opening {
  readonly opening: number;
  readonly generation: Generation;
  readonly stage: number;
  readonly self: number;
  readonly length: number;
  readonly tensors: number;
  readonly tensorSet: string;
  readonly shards: number;
  readonly memory: SharedMemory;
}

export type ToHost =
  | { readonly kind: 'open'; readonly opening: Opening }
  | { readonly kind: 'begin'; readonly opening: number; readonly step: number; readonly announcement: Announcement }
  /** This many chunks of the send order are quantised. */
  | { readonly kind: 'made'; readonly opening: number; readonly step: number; readonly chunks: number }
  | { readonly kind: 'close' };

export type FromHost =
  | { readonly kind: 'opened'; readonly opening: number }
  | {
      readonly kind: 'scaled';
      readonly opening: number;
      readonly step: number;
      readonly exponents: Int32Array;
    }
  | {
      readonly kind: 'done';
      readonly opening: number;
      readonly outcome: Outcome;
      readonly seconds: { readonly announce: number; readonly reduce: number };
      readonly bytes: { readonly sent: number; readonly received: number };
    }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
  | { readonly kind: 'closed' };
