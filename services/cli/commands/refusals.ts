// Trainers that the coordinator refused, from the job's events: a trainer that ends because of that has its reason here,
// and not in how its process ended.

import { type ErrorCode, errorCodeOf } from '@thaw/common/errors/catalogue.ts';
import { newEvents } from '../view/job-event.ts';

export interface Refused {
  readonly code: ErrorCode;
  readonly message: string;
}

export interface Refusals {
  /** Event lines as they come. */
  note(lines: readonly string[]): void;
  /** Resolves once the trainer of this name is refused; it may have been already. */
  of(trainer: string): Promise<Refused>;
}

export function trackRefusals(): Refusals {
  const refused = new Map<string, Refused>();
  const waiting: (() => void)[] = [];
  return {
    note(lines) {
      for (const { event } of newEvents(lines, 0)) {
        if (event.kind !== 'trainerRefused') continue;
        refused.set(event.trainer, { code: errorCodeOf(event.code), message: event.message });
      }
      for (const resolve of waiting.splice(0)) resolve();
    },
    async of(trainer) {
      for (;;) {
        const found = refused.get(trainer);
        if (found) return found;
        await new Promise<void>((resolve) => {
          waiting.push(resolve);
        });
      }
    },
  };
}
