// Which epochs' records stay in the state, which has a bound whatever the number of stages and epochs: the newest of each
// stage, and its best. The event log has all.

import type { JobPlan } from './job-plan.ts';
import type { EpochRecord } from './state.ts';

/** Of one stage. */
export const epochsKeptMax = 30;

/** Of all stages, where their number leaves each its best and its last: a record takes up to 700 bytes. */
const epochsKeptInAllMax = 450;
const epochsKeptMin = 2;

/** `best`: the number of the stage's best epoch. */
export function keptEpochs(
  epochs: readonly EpochRecord[],
  best: number | undefined,
  { stages }: Pick<JobPlan, 'stages'>,
): readonly EpochRecord[] {
  const share = Math.floor(epochsKeptInAllMax / stages.length);
  const most = Math.min(epochsKeptMax, Math.max(epochsKeptMin, share));
  const others = epochs.filter(({ epoch }) => epoch !== best);
  const dropped = new Set(others.slice(0, Math.max(0, epochs.length - most)));
  return dropped.size === 0 ? epochs : epochs.filter((one) => !dropped.has(one));
}
