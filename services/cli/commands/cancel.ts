// `thaw cancel JOB`: ends a run in good order, as Ctrl-C where it was started does: what was trained is stored first. Waits
// until it has ended. Asked a second time meanwhile, the run ends without storing anything more.

import type { JobStatus__Output } from '@thaw/proto/gen/thaw/v1/JobStatus.ts';
import { Command } from 'commander';
import { readStoppedRun } from '../results/stopped-run.ts';
import type { World } from '../world.ts';
import { nextTime } from './places.ts';
import { ask, findRun, jobArgument, untilOver, withRun } from './running-job.ts';

interface CancelOptions {
  readonly reason: string;
  readonly json: boolean;
}

export function cancelCommand(world: World): Command {
  return new Command('cancel')
    .description('end a run under way; what was trained is stored first')
    .argument(...jobArgument)
    .option('--reason <text>', 'for the log and the events', 'cancelled by its user')
    .option('--json', 'as JSON', false)
    .action((job: string, options: CancelOptions) => cancel(world, job, options));
}

async function cancel(world: World, job: string, { reason, json }: CancelOptions): Promise<void> {
  const run = await findRun(world, job);
  await withRun(world, run, ({ jobs }) =>
    ask<JobStatus__Output>((options, done) => jobs.cancel({ reason }, options, done)),
  );
  const mark = await untilOver(run);
  const stopped = await readStoppedRun(run.out, mark);
  const isCancelled = stopped.state === 'Cancelled';
  if (!isCancelled) world.exitWith(1);
  const { name, state } = stopped;
  if (json) return void world.stdout.write(`${JSON.stringify({ out: run.out, ...stopped }, null, 2)}\n`);
  // Training may just have been over: then its result was being written, or it had failed by itself.
  if (isCancelled) world.stdout.write(`${name}: cancelled; ${nextTime(world, run.out)}\n`);
  else world.stderr.write(`${name}: not cancelled, because it ended first: ${state.toLowerCase()}\n`);
}
