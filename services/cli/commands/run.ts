// `thaw run JOB`: trains on this machine, or with --resume goes on with a run that was stopped. Starts the processes, shows
// what the coordinator says, ends everything in order whatever happens, and says what there is at the end. Decides nothing
// about the training.

import path from 'node:path';
import { systemClock } from '@thaw/common/clock/clock.ts';
import { ThawError, toThawError } from '@thaw/common/errors/thaw-error.ts';
import { type ParsedJob, parseJobFile } from '@thaw/common/job/parse.ts';
import { readGivenJob } from '@thaw/coordinator/export/given-job.ts';
import { resultFiles } from '@thaw/coordinator/export/result-files.ts';
import { Command } from 'commander';
import type { Child } from '../processes/child.ts';
import { startLocalRun, stopInOrder } from '../processes/local-run.ts';
import { type Stopping, watchSignals } from '../processes/signals.ts';
import { createRunView, type RunEnding, type RunView, viewMode } from '../view/run-view.ts';
import type { World } from '../world.ts';
import { followJob } from './follow-job.ts';
import { readJobText, wholeNumber } from './options.ts';
import { outputFolder } from './places.ts';
import { endingOf, endingOfError, refused } from './run-ending.ts';

export interface RunOptions {
  readonly trainers?: number;
  readonly out?: string;
  /** Output folder of the run that is taken up. */
  readonly resume?: string;
  readonly overwrite: boolean;
  readonly fresh: boolean;
  readonly json: boolean;
}

/** How long each kind of process gets to end by itself when the job is over. */
const endMilliseconds = 3000;
/** The same after Ctrl-C, once what was trained is stored. */
const interruptedMilliseconds = 1000;

export const exitStatus = { succeeded: 0, failed: 1, cancelled: 130 } as const;

export function runCommand(world: World): Command {
  return new Command('run')
    .description('fine-tune on this machine')
    .argument('[job]', 'job file (YAML); with --resume it is not needed')
    .option('--trainers <n>', 'trainer processes; the result does not depend on their number', wholeNumber)
    .option('--out <folder>', 'folder of the result (default: output.uri of the job, else out/NAME)')
    .option('--resume <folder>', 'go on with the run that was stopped in this output folder')
    .option('--overwrite', 'replace the result that the folder holds', false)
    .option('--fresh', 'train every stage, also those that were trained before', false)
    .option('--json', 'events as JSON lines on stdout', false)
    .action(async (job: string | undefined, options: RunOptions, command: Command) => {
      const wrong = misunderstood(job, options);
      if (wrong !== null) command.error(`error: ${wrong}`);
      world.exitWith(await run(world, job ?? null, options));
    });
}

function misunderstood(job: string | undefined, { resume, out, overwrite }: RunOptions): string | null {
  if (resume === undefined) return job === undefined ? "missing required argument 'job'" : null;
  if (overwrite)
    return '--resume keeps what the folder holds, --overwrite replaces it: found both, expected one of them';
  return out === undefined ? null : '--resume names the output folder already: found --out too, expected one of them';
}

export interface Run {
  readonly world: World;
  /** Null: the one that the run was begun with. */
  readonly jobFile: string | null;
  readonly out: string;
  readonly options: RunOptions;
  readonly trainers: number;
  /** As the job says; it takes fewer where it is begun with fewer. */
  readonly trainersMin: number;
  readonly view: RunView;
  readonly stopping: Stopping;
  /** Every process started so far. */
  readonly children: Child[];
}

async function run(world: World, jobFile: string | null, options: RunOptions): Promise<number> {
  const { stdout, stderr, env } = world;
  const mode = viewMode({ json: options.json, isTerminal: stderr.isTTY === true, env });
  const view = createRunView({ mode, stdout, stderr, clock: systemClock });
  const end = (ending: RunEnding): number => {
    view.end(ending);
    return exitStatus[ending.kind];
  };
  const file = jobFile === null ? null : path.resolve(world.cwd, jobFile);
  const parsed = await parsedJob(world, file, jobFile, options).catch(toThawError);
  if (parsed instanceof ThawError) return end(refused(parsed));
  const children: Child[] = [];
  const stopping = watchSignals(() => {
    for (const child of children) void child.stop(0);
  });
  const { replicas, min: trainersMin } = parsed.job.spec.trainers;
  const trainers = options.trainers ?? replicas;
  const out = outputFolder(world, parsed, options.resume ?? options.out);
  try {
    return end(await train({ world, jobFile: file, out, options, trainers, trainersMin, view, stopping, children }));
  } finally {
    stopping.release();
  }
}

/** `shown`: the file as the user wrote it; null without one. Throws OutputConflict where there is no run to take up. */
async function parsedJob(
  world: World,
  file: string | null,
  shown: string | null,
  { resume }: RunOptions,
): Promise<ParsedJob> {
  if (file !== null) return parseJobFile(await readJobText(file), shown ?? file);
  const { jobText, fileName } = await readGivenJob(path.resolve(world.cwd, resume ?? ''));
  return parseJobFile(jobText, fileName);
}

async function train(run: Run): Promise<RunEnding> {
  const { children, stopping } = run;
  let ending: RunEnding;
  try {
    const followed = await startAndFollow(run);
    ending = await endingOf(run, followed);
  } catch (thrown) {
    ending = endingOfError(run, toThawError(thrown));
  }
  await stopInOrder(children, stopping.asked ? interruptedMilliseconds : endMilliseconds);
  return ending;
}

async function startAndFollow(run: Run) {
  const { world, jobFile, out, options, trainers, trainersMin, view, stopping, children } = run;
  const { overwrite, fresh, trainers: trainersOverride } = options;
  const resume = options.resume !== undefined;
  const { env, cacheDirectory } = world;
  const starting = (what: string): void => view.starting(what);
  const local = await Promise.race([
    startLocalRun(
      { jobFile, out, overwrite, fresh, resume, trainersOverride, trainers, env, cacheDirectory, starting, stopping },
      children,
    ),
    stopping.requested.then((signal) => {
      throw new ThawError('Cancelled', `${signal} before training began`);
    }),
  ]);
  starting(trainers === 1 ? '1 trainer' : `${trainers} trainers`);
  const wanted = { wanted: trainers, min: Math.min(trainersMin, trainers) };
  return followJob(local, { eventsFile: resultFiles(out).events, view, stopping, trainers: wanted });
}
