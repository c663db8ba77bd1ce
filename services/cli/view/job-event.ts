// The job's events as they come over the wire: one JSON object each, as in OUT/events.jsonl.

import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { LogEntry } from '@thaw/coordinator/core/event-log.ts';

export type JobEvent = LogEntry & {
  readonly id: string;
  readonly sequence: number;
  /** ISO 8601. */
  readonly at: string;
};

export interface EventLine {
  /** As it came. */
  readonly text: string;
  readonly event: JobEvent;
}

/** Of an update, those after number `after`: a watch that is opened again starts over. Throws ProtocolViolation. */
export function newEvents(lines: readonly string[], after: number): EventLine[] {
  return lines.map((text) => ({ text, event: parsed(text) })).filter(({ event }) => event.sequence > after);
}

const shownCharactersMax = 200;

function parsed(text: string): JobEvent {
  try {
    const value = JSON.parse(text) as Partial<JobEvent> | null;
    if (typeof value?.kind === 'string' && Number.isInteger(value.sequence)) return value as JobEvent;
  } catch {
    // Said below, for all that is no event.
  }
  const found = text.slice(0, shownCharactersMax);
  throw new ThawError(
    'ProtocolViolation',
    `found the job event ${found}; expected a JSON object with kind and sequence`,
  );
}
