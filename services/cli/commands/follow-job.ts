// Shows a running job, and keeps its trainers alive, until it is over: its coordinator has ended, or a process is gone
// without which the run cannot go on and the coordinator did not say in time what that means, or the user asked to stop.
// What the job came to is the coordinator's last word, and its events lie in a file: the stream that shows them may break
// off at any moment.

import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { ClientReadableStream } from '@grpc/grpc-js';
import { systemClock } from '@thaw/common/clock/clock.ts';
import type { ErrorCode } from '@thaw/common/errors/catalogue.ts';
import { type JobEnd, terminalPhases } from '@thaw/coordinator/core/state.ts';
import { connectJobs } from '@thaw/proto/client/connect.ts';
import type { JobsClient } from '@thaw/proto/gen/thaw/v1/Jobs.ts';
import type { JobUpdate__Output } from '@thaw/proto/gen/thaw/v1/JobUpdate.ts';
import type { LocalRun, Lost } from '../processes/local-run.ts';
import type { Stopping } from '../processes/signals.ts';
import { keepTrainers, type TrainersOptions } from '../processes/trainers.ts';
import type { RunView } from '../view/run-view.ts';
import { trackRefusals } from './refusals.ts';

export interface Followed {
  /** Null when the coordinator did not get to say it. */
  readonly jobEnd: JobEnd | null;
  /** The process without which the run could not go on; a trainer that was refused, with the reason it was given. */
  readonly lost: Lost | null;
}

export interface FollowOptions {
  /** OUT/events.jsonl. */
  readonly eventsFile: string;
  readonly view: RunView;
  readonly stopping: Stopping;
  /** To start with, and without how many the job stands still. */
  readonly trainers: Pick<TrainersOptions, 'wanted' | 'min'>;
}

/** After a process is gone, how long the coordinator gets to decide what that means, with the better reason. */
const verdictMilliseconds: Partial<Record<ErrorCode, number>> = { TrainerLost: 3000, BrokerLost: 8000 };
/** After Ctrl-C, how long it gets to store what was trained, to end the job and to tell the trainers. */
const stopMilliseconds = 20_000;
/** Before a stream that broke off is opened anew. */
const reopenMilliseconds = 100;
/** What a coordinator that does not answer by then finds out by itself. */
const reportMilliseconds = 2000;

export async function followJob(local: LocalRun, options: FollowOptions): Promise<Followed> {
  const { eventsFile, view, stopping } = options;
  const { coordinator } = local;
  const jobs = connectJobs(local.address);
  let lost: Lost | null = null;
  let isDecided = false;
  const refusals = trackRefusals();
  let over = false;
  let lose = (_lost: Lost): void => undefined;
  const trainerLost = new Promise<Lost>((resolve) => {
    lose = resolve;
  });
  const trainers = keepTrainers({
    ...options.trainers,
    start: local.startTrainer,
    isOver: () => over || stopping.asked || coordinator.exit !== null,
    report: ({ name, pid }, reason) => {
      jobs.reportExit({ name, pid, reason }, { deadline: Date.now() + reportMilliseconds }, () => undefined);
    },
    warn: (message) => view.warn(message),
    lose,
    ...realTime,
  });
  const show = (update: JobUpdate__Output): void => {
    if (update.status) isDecided = terminalPhases.some((phase) => phase === update.status?.state);
    view.update(update);
    refusals.note(update.events);
    trainers.update(update);
  };
  const watching = watch(jobs, { show, isOver: () => over || coordinator.exit !== null });
  const cancelled = stopping.requested.then((signal) => {
    view.warn(`${signal}: what was trained is stored, then the run ends; once more ends it at once`);
    return coordinator.stop(stopMilliseconds);
  });
  const loss = Promise.race([local.brokerLost, trainerLost]).then(async (first) => {
    // A process that ends after Ctrl-C is no news: the coordinator still has to be heard out.
    if (stopping.asked) return cancelled;
    if (over) return;
    trainers.close();
    lost = first;
    view.warn(first.message);
    const verdict = delay(verdictMilliseconds[first.code], null, { ref: false });
    const refusal = await Promise.race([refusals.of(first.child.name), verdict]);
    if (refusal) lost = { child: first.child, ...refusal };
    // A job that is over is told to its trainers first.
    if (isDecided) await coordinator.exited;
  });
  try {
    await Promise.race([coordinator.exited, loss, cancelled]);
    if (coordinator.exit) {
      await watching.ended;
      view.update({ status: null, events: await wholeLines(eventsFile) });
    }
    return { jobEnd: local.jobEnd(), lost };
  } finally {
    over = true;
    trainers.close();
    watching.cancel();
    jobs.close();
  }
}

const realTime: Pick<TrainersOptions, 'monotonic' | 'after'> = {
  monotonic: () => systemClock.monotonic(),
  after(milliseconds, run) {
    const timer = setTimeout(run, milliseconds);
    return () => clearTimeout(timer);
  },
};

interface Watching {
  /** Resolves once the stream has ended, and is not opened again. */
  readonly ended: Promise<void>;
  cancel(): void;
}

interface WatchOptions {
  readonly show: (update: JobUpdate__Output) => void;
  /** Nobody is there to open the stream again. */
  readonly isOver: () => boolean;
}

/** Opens the stream again when it breaks off: the coordinator may only have been too busy to answer in time. */
function watch(jobs: JobsClient, { show, isOver }: WatchOptions): Watching {
  let stream: ClientReadableStream<JobUpdate__Output> | null = null;
  const once = (): Promise<'ended' | 'broken'> => {
    const opened = jobs.watch({});
    stream = opened;
    opened.on('data', show);
    return new Promise((resolve) => {
      opened.on('end', () => resolve('ended'));
      opened.on('error', () => resolve('broken'));
    });
  };
  const untilOver = async (): Promise<void> => {
    while ((await once()) === 'broken' && !isOver()) await delay(reopenMilliseconds);
  };
  return { ended: untilOver(), cancel: () => stream?.cancel() };
}

/** None of a file that is not there. */
async function wholeLines(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').slice(0, -1);
}
