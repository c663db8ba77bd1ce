// Shows a running job until it is over: its coordinator has ended, or a process is gone and the coordinator did not say
// in time what that means, or it had refused that very trainer, or the user asked to stop.

import { setTimeout as delay } from 'node:timers/promises';
import type { ErrorCode } from '@thaw/common/errors/catalogue.ts';
import { connectJobs } from '@thaw/proto/client/connect.ts';
import type { JobStatus__Output } from '@thaw/proto/gen/thaw/v1/JobStatus.ts';
import type { JobUpdate__Output } from '@thaw/proto/gen/thaw/v1/JobUpdate.ts';
import type { LocalRun, Lost } from '../processes/local-run.ts';
import type { Stopping } from '../processes/signals.ts';
import type { RunView } from '../view/run-view.ts';
import { trackRefusals } from './refusals.ts';

export interface Followed {
  /** The last one that came; null when none did. */
  readonly status: JobStatus__Output | null;
  /** The first process that ended before its time; a trainer that was refused, with the reason it was given. */
  readonly lost: Lost | null;
}

/** After a process is gone, how long the coordinator gets to end the job by itself, with the better reason. */
const verdictMilliseconds: Partial<Record<ErrorCode, number>> = { TrainerLost: 3000, BrokerLost: 8000 };
/** After Ctrl-C, how long it gets to store what was trained, to end the job and to tell the trainers. */
const stopMilliseconds = 20_000;

export async function followJob(
  local: LocalRun,
  { view, stopping }: { readonly view: RunView; readonly stopping: Stopping },
): Promise<Followed> {
  const jobs = connectJobs(local.address);
  const stream = jobs.watch({});
  let status: JobStatus__Output | null = null;
  let lost: Lost | null = null;
  const refusals = trackRefusals();
  let over = false;
  const streamEnded = new Promise<void>((resolve) => {
    stream.on('end', resolve);
    stream.on('error', () => resolve());
  });
  stream.on('data', (update: JobUpdate__Output) => {
    status = update.status ?? status;
    view.update(update);
    refusals.note(update.events);
  });
  const cancelled = stopping.requested.then((signal) => {
    view.warn(`${signal}: what was trained is stored, then the run ends; once more ends it at once`);
    return local.coordinator.stop(stopMilliseconds);
  });
  const loss = local.firstLoss.then(async (first) => {
    // A process that ends after Ctrl-C is no news: the coordinator still has to be heard out.
    if (stopping.asked) return cancelled;
    if (over) return;
    lost = first;
    view.warn(first.message);
    const verdict = delay(verdictMilliseconds[first.code], null, { ref: false });
    const refusal = await Promise.race([refusals.of(first.child.name), verdict]);
    if (refusal) lost = { child: first.child, ...refusal };
  });
  try {
    await Promise.race([local.coordinator.exited, loss, cancelled]);
    await Promise.race([streamEnded, delay(100)]);
    return { status, lost };
  } finally {
    over = true;
    stream.cancel();
    jobs.close();
  }
}
