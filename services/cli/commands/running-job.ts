// What commands that speak to a run have in common: from a job file or an output folder to the run in it, from there to
// its coordinator, and the sentences for everything that may be in the way.

import { stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type CallOptions, status as grpcStatus, type requestCallback, type ServiceError } from '@grpc/grpc-js';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { parseJobFile } from '@thaw/common/job/parse.ts';
import { isRunning } from '@thaw/coordinator/adapters/lock-file.ts';
import { type JobMark, readMark } from '@thaw/coordinator/export/output-folder.ts';
import { resultFiles } from '@thaw/coordinator/export/result-files.ts';
import { readRunAddress } from '@thaw/coordinator/export/run-address.ts';
import { connectJobs } from '@thaw/proto/client/connect.ts';
import type { JobStatus__Output } from '@thaw/proto/gen/thaw/v1/JobStatus.ts';
import type { JobsClient } from '@thaw/proto/gen/thaw/v1/Jobs.ts';
import type { World } from '../world.ts';
import { readJobText } from './options.ts';
import { nextTime, outputFolder, shownPath } from './places.ts';

export const jobArgument = ['<job>', 'job file, or the output folder of its run'] as const;

export interface FoundRun {
  readonly out: string;
  /** The folder as the user would type it. */
  readonly shown: string;
  readonly mark: JobMark;
}

export interface RunningJob {
  readonly jobs: JobsClient;
  readonly status: JobStatus__Output;
}

/** A coordinator answers within milliseconds, unless its machine is short of everything. */
const answerMilliseconds = 5000;
const pollMilliseconds = 100;

/** `job`: as the user wrote it. Throws SourceNotFound, JobInvalid, or NotRunning where there never was a run. */
export async function findRun(world: World, job: string): Promise<FoundRun> {
  const given = path.resolve(world.cwd, job);
  const found = await stat(given).catch((cause: unknown) => {
    const message = `${job}: there is no such file or folder; expected a job file or the output folder of a run`;
    throw new ThawError('SourceNotFound', message, { cause });
  });
  const out = found.isDirectory() ? given : outputFolder(world, parseJobFile(await readJobText(given), job));
  const shown = shownPath(world, out);
  const mark = await readMark(resultFiles(out).jobMark);
  if (mark) return { out, shown, mark };
  const other = found.isDirectory() ? '' : '; for one that was begun with --out, give that folder';
  throw new ThawError('NotRunning', `found no run in ${shown}; expected the output folder of \`thaw run\`${other}`);
}

/** Null where nobody is there to speak to. Throws CoordinatorLost where somebody is, and does not answer. */
export async function reachRun({ out, mark }: FoundRun): Promise<RunningJob | null> {
  const where = await readRunAddress(out);
  if (!where) return null;
  const jobs = connectJobs(where.address);
  try {
    const status = await ask<JobStatus__Output>((options, done) => jobs.get({}, options, done));
    // Whoever listens there now may be of another run.
    if (status.uid === mark.uid) return { jobs, status };
  } catch (thrown) {
    jobs.close();
    if (thrown instanceof ThawError && thrown.code === 'NotRunning') return null;
    throw thrown;
  }
  jobs.close();
  return null;
}

/** Closes the connection afterwards. Throws NotRunning, with what became of the run, and what `work` throws. */
export async function withRun<T>(world: World, run: FoundRun, work: (job: RunningJob) => Promise<T>): Promise<T> {
  const job = await reachRun(run);
  if (!job) throw new ThawError('NotRunning', `no run is under way in ${run.shown}: ${becameOf(world, run)}`);
  try {
    return await work(job);
  } finally {
    job.jobs.close();
  }
}

/** One question with a deadline. Throws NotRunning when nobody listens, JobInvalid when the answer is a reasoned no. */
export function ask<Reply>(
  call: (options: CallOptions, done: requestCallback<Reply>) => unknown,
  milliseconds = answerMilliseconds,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    call({ deadline: Date.now() + milliseconds }, (error, reply) => {
      if (error) reject(askError(error, milliseconds));
      else resolve(reply as Reply);
    });
  });
}

function askError(error: ServiceError, milliseconds: number): ThawError {
  const { code, details } = error;
  const seconds = milliseconds / 1000;
  switch (code) {
    case grpcStatus.INVALID_ARGUMENT:
      return new ThawError('JobInvalid', details);
    case grpcStatus.UNIMPLEMENTED:
      return new ThawError('NotSupported', details);
    case grpcStatus.UNAVAILABLE:
      return new ThawError('NotRunning', `nobody listens there any more: ${details}`, { cause: error });
    default:
      return new ThawError(
        'CoordinatorLost',
        `the coordinator gave no answer within ${seconds} s (${details}); see its log`,
        {
          cause: error,
        },
      );
  }
}

/** The coordinator's process is there; whether it listens is another matter. */
export function isUnderWay({ pid, process }: JobMark): boolean {
  return pid !== null && isRunning(pid, process);
}

export async function markNow({ out, mark }: FoundRun): Promise<JobMark> {
  return (await readMark(resultFiles(out).jobMark)) ?? mark;
}

/** Once the run has ended: the mark with how. */
export async function untilOver(run: FoundRun): Promise<JobMark> {
  for (;;) {
    const mark = await markNow(run);
    if (!isUnderWay(mark)) return mark;
    await delay(pollMilliseconds);
  }
}

/** Of a run that nobody answers for. */
function becameOf(world: World, { out, mark }: FoundRun): string {
  if (isUnderWay(mark)) return `its coordinator (process ${mark.pid}) is just starting or ending; try again`;
  if (mark.state === 'Succeeded') return `it has succeeded, see ${shownPath(world, resultFiles(out).page)}`;
  const how = mark.pid === null ? `ended as ${mark.state}` : 'was killed';
  return `it ${how}; ${nextTime(world, out)}`;
}
