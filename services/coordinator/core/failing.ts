// How a job ends other than by success: one failure, named, stored, and told to every trainer as its last directive.

import type { ErrorCode } from '@thaw/common/errors/catalogue.ts';
import { issueDirective } from './directive.ts';
import { record } from './event-log.ts';
import type { Decision, Effect } from './events.ts';
import { isDone, isTerminal, type JobFailure, type JobState } from './state.ts';

export function fail(state: JobState, now: number, failure: JobFailure): Decision {
  if (isTerminal(state)) return { state, effects: [] };
  const failed: JobState = { ...state, phase: 'Failed', reason: failure.code, failure };
  const logged = record(failed, now, { kind: 'jobFailed', ...failure });
  return end(logged, { outcome: 'Failed', reason: `${failure.code}: ${failure.message}` });
}

export function failWith(state: JobState, now: number, code: ErrorCode, message: string): Decision {
  return fail(state, now, { code, message });
}

/** Too late once training is over: the export takes a moment, and its result is what was asked for. */
export function cancel(state: JobState, now: number, reason: string): Decision {
  if (isDone(state)) return { state, effects: [] };
  const failure: JobFailure = { code: 'Cancelled', message: reason };
  const cancelled: JobState = { ...state, phase: 'Cancelled', reason, failure };
  return end(record(cancelled, now, { kind: 'jobCancelled', reason }), { outcome: 'Cancelled', reason });
}

function end(state: JobState, finish: { readonly outcome: string; readonly reason: string }): Decision {
  const { state: directed, effects } = issueDirective(state, { kind: 'finish', ...finish });
  const ended: Effect = { kind: 'ended' };
  return { state: directed, effects: [...effects, ended] };
}
