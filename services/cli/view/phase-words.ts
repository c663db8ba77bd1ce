// What the run does at this moment, in words: the job's phase, and within it what the trainers are at.

import type { JobProgress__Output } from '@thaw/proto/gen/thaw/v1/JobProgress.ts';
import type { JobStatus__Output } from '@thaw/proto/gen/thaw/v1/JobStatus.ts';

/** Without an end of line; counts where the trainers count. */
export function phaseWords({ state, reason, progress }: JobStatus__Output): string {
  switch (state) {
    case 'Preparing':
      return 'preparing';
    case 'Gathering':
      return `gathering trainers: ${reason}`;
    case 'Training':
      return progress ? trainersWords(progress, 'training') : 'training';
    case 'Evaluating':
      return progress ? trainersWords(progress, reason) : reason;
    case 'Storing':
      return `storing: ${reason}`;
    case 'Exporting':
      return `exporting: ${reason}`;
    default:
      return state.toLowerCase();
  }
}

/** What the slowest trainer does; `work`: the word for what it is meant to do. */
function trainersWords({ phase, phaseDone, phaseTotal }: JobProgress__Output, work: string): string {
  const counts = phaseTotal > 0 ? ` ${Math.min(phaseDone, phaseTotal)}/${phaseTotal}` : '';
  switch (phase) {
    case 'features':
      return `computing features${counts}`;
    case 'evaluate':
      return `${work}${counts}`;
    case 'loading':
      return 'loading';
    default:
      return work;
  }
}
