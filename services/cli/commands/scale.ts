// `thaw scale JOB N`: another number of trainers for a run under way. The coordinator says yes or no; the launcher of the
// run starts those that are missing, and those that are one too many end by themselves.

import type { JobStatus__Output } from '@thaw/proto/gen/thaw/v1/JobStatus.ts';
import { Command } from 'commander';
import { plural } from '../view/number-text.ts';
import type { World } from '../world.ts';
import { wholeNumber } from './options.ts';
import { ask, findRun, jobArgument, withRun } from './running-job.ts';

export function scaleCommand(world: World): Command {
  return new Command('scale')
    .description('give a run under way another number of trainers; its result does not depend on it')
    .argument(...jobArgument)
    .argument('<n>', 'trainers', wholeNumber)
    .option('--json', 'as JSON', false)
    .action((job: string, replicas: number, options: { readonly json: boolean }) =>
      scale(world, job, replicas, options),
    );
}

async function scale(world: World, job: string, replicas: number, { json }: { readonly json: boolean }): Promise<void> {
  const run = await findRun(world, job);
  await withRun(world, run, async ({ jobs, status: { name, trainersWanted: from } }) => {
    await ask<JobStatus__Output>((options, done) => jobs.scale({ replicas }, options, done));
    if (json)
      return void world.stdout.write(`${JSON.stringify({ out: run.out, name, from, to: replicas }, null, 2)}\n`);
    const text =
      from === replicas
        ? `it has ${plural(from, 'trainer')} already`
        : `from ${plural(from, 'trainer')} to ${replicas}`;
    world.stdout.write(`${name}: ${text}\n`);
  });
}
