// What a person or a program sees while `thaw run` runs: made once for a run, told everything in order, and ended
// exactly once on every way out.

import type { Clock } from '@thaw/common/clock/clock.ts';
import { assertNever } from '@thaw/common/errors/thaw-error.ts';
import type { JobUpdate__Output } from '@thaw/proto/gen/thaw/v1/JobUpdate.ts';
import type { RunEnding } from './ending.ts';
import { createJsonView } from './json-view.ts';
import { createLiveView, everyFrame } from './live-view.ts';
import { createPlainView } from './plain-view.ts';
import type { ViewMode } from './view-mode.ts';

export type { RunEnding } from './ending.ts';
export { viewMode } from './view-mode.ts';

export interface RunView {
  /** One line before there is a job status: what is being started. */
  starting(what: string): void;
  /** Each message of the coordinator's Jobs.Watch stream, in order. A stream opened anew may repeat events. */
  update(update: JobUpdate__Output): void;
  /** A warning of any process. */
  warn(message: string): void;
  /** Takes the live block away, gives the terminal back and prints the closing lines. Only the first call counts. */
  end(ending: RunEnding): void;
}

export interface RunViewOptions {
  readonly mode: ViewMode;
  /** Gets the result. */
  readonly stdout: NodeJS.WriteStream;
  /** Gets progress, warnings and why there is no result. */
  readonly stderr: NodeJS.WriteStream;
  readonly clock: Clock;
}

export function createRunView({ mode, stdout, stderr, clock }: RunViewOptions): RunView {
  switch (mode) {
    case 'live':
      return createLiveView({ stdout, stderr, clock, frames: everyFrame });
    case 'plain':
      return createPlainView({ stdout, stderr, clock });
    case 'json':
      return createJsonView({ stdout, stderr });
    default:
      return assertNever(mode, 'view mode');
  }
}
