// The processes of one local run, started in order (coordinator, broker, trainers) and ended in order (trainers,
// coordinator, broker). Says when the broker ended before its time; who keeps trainers alive is beside it. Decides nothing
// about the job.

import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { withoutS3 } from '@thaw/common/environment/s3-environment.ts';
import { type ErrorCode, errorCodeOf } from '@thaw/common/errors/catalogue.ts';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { JobEnd } from '@thaw/coordinator/core/state.ts';
import { resultFiles } from '@thaw/coordinator/export/result-files.ts';
import { startBroker } from './broker.ts';
import { type Child, type ChildOptions, describeExit, startChild } from './child.ts';
import { trainerIndex } from './restart-policy.ts';
import type { Stopping } from './signals.ts';

export interface LocalRunOptions {
  /** Null: the one that the run which is taken up was begun with. */
  readonly jobFile: string | null;
  readonly out: string;
  readonly overwrite: boolean;
  readonly fresh: boolean;
  readonly resume: boolean;
  /** --trainers, where it was given. */
  readonly trainersOverride: number | undefined;
  /** To start with. */
  readonly trainers: number;
  readonly env: NodeJS.ProcessEnv;
  readonly cacheDirectory: string;
  readonly starting: (what: string) => void;
  /** Once it is asked, no process starts any more. */
  readonly stopping: Pick<Stopping, 'asked'>;
}

export interface LocalRun {
  /** host:port of the coordinator. */
  readonly address: string;
  readonly coordinator: Child;
  /** What the job came to: the coordinator's last word before it exits by itself; null without one. */
  jobEnd(): JobEnd | null;
  startTrainer(name: string): Child;
  readonly brokerLost: Promise<Lost>;
}

export interface Lost {
  readonly child: Child;
  readonly code: ErrorCode;
  readonly message: string;
}

/** Share of this machine's memory that the trainers together keep features in. */
const featureMemoryShare = 0.4;

/**
 * Every child is in `children` from the moment it runs. Throws what the coordinator says when it cannot begin (JobInvalid,
 * DataInvalid, OutputConflict, …), and Cancelled instead of starting a process that nobody would stop.
 */
export async function startLocalRun(options: LocalRunOptions, children: Child[]): Promise<LocalRun> {
  const { out, cacheDirectory, starting, stopping } = options;
  const env = withoutS3(options.env); // only the coordinator reads sources
  const files = resultFiles(out);
  const start = (child: ChildOptions): Child => {
    if (stopping.asked) throw new ThawError('Cancelled', `asked to stop before ${child.name} was started`);
    const started = startChild(child);
    children.push(started);
    return started;
  };
  starting('reading the model and the data');
  const coordinator = start(service('coordinator', 'coordinator', coordinatorEnv(options), null));
  coordinator.onLine((line) => {
    const { fetching } = JSON.parse(line) as Said;
    if (fetching !== undefined) starting(`reading the model and the data: fetching ${fetching}`);
  });
  const said = announcements(coordinator);
  await said.claimed;
  starting('nats-server');
  const logFile = path.join(files.logs, 'nats-server.log');
  const broker = await startBroker({ start, directory: files.broker, logFile, env });
  coordinator.tell(JSON.stringify({ natsUrl: broker.url }));
  starting('the coordinator');
  const { grpcPort } = await said.ready;
  const address = `127.0.0.1:${grpcPort}`;
  return {
    address,
    coordinator,
    jobEnd: said.jobEnd,
    startTrainer(name) {
      const trainerEnv = {
        ...env,
        THAW_LAUNCHED: '1',
        THAW_COORDINATOR: address,
        THAW_TRAINER_NAME: name,
        THAW_LOG_FILE: path.join(files.logs, `${name}.jsonl`),
        THAW_CACHE: cacheDirectory,
        THAW_FEATURE_BYTES: env.THAW_FEATURE_BYTES ?? String(featureBytes(name, options.trainers)),
      };
      return start(service(name, 'trainer', trainerEnv, path.join(files.logs, `${name}.stderr.log`)));
    },
    brokerLost: broker.child.exited.then((exit) => {
      const { child } = broker;
      return { child, code: 'BrokerLost', message: `${child.name} (pid ${child.pid}) ${describeExit(exit)}` };
    }),
  };
}

/** Trainers, then the coordinator, then the broker; each kind at once. */
export async function stopInOrder(children: readonly Child[], milliseconds: number): Promise<void> {
  const isTrainer = ({ name }: Child): boolean => name.startsWith('trainer-');
  await Promise.all(children.filter(isTrainer).map((child) => child.stop(milliseconds)));
  for (const name of ['coordinator', 'nats-server']) {
    await Promise.all(children.filter((child) => child.name === name).map((child) => child.stop(milliseconds)));
  }
}

function service(name: string, of: string, env: NodeJS.ProcessEnv, stderrFile: string | null): ChildOptions {
  const file = fileURLToPath(import.meta.resolve(`@thaw/${of}/main.ts`));
  return { name, command: process.execPath, args: [...process.execArgv, file], env, stderrFile };
}

function coordinatorEnv(options: LocalRunOptions): NodeJS.ProcessEnv {
  const { trainersOverride: trainers, jobFile, overwrite, fresh, resume } = options;
  const given = { overwrite, fresh, resume };
  return {
    ...options.env,
    THAW_LAUNCHED: '1',
    THAW_JOB_FILE: jobFile ?? '',
    THAW_OUT: options.out,
    THAW_JOB_OVERRIDES: JSON.stringify({ ...(trainers !== undefined && { trainers }), ...given }),
    THAW_LOG_FILE: path.join(resultFiles(options.out).logs, 'coordinator.jsonl'),
    THAW_CACHE: options.cacheDirectory,
  };
}

interface Said {
  readonly fetching?: string;
  readonly claimed?: boolean;
  readonly ready?: boolean;
  readonly grpcPort?: number;
  readonly code?: string;
  readonly message?: string;
  readonly ended?: JobEnd;
}

/** What the coordinator says on stdout. Both reject with its error when it cannot begin, or when it is gone. */
function announcements(coordinator: Child): {
  readonly claimed: Promise<void>;
  readonly ready: Promise<{ readonly grpcPort: number }>;
  readonly jobEnd: () => JobEnd | null;
} {
  let end: JobEnd | null = null;
  coordinator.onLine((line) => {
    const said = JSON.parse(line) as Said;
    end = said.ended ?? (said.ready === false ? { phase: 'Failed', failure: refusalOf(said) } : end);
  });
  const heard = <T>(pick: (said: Said) => T | undefined): Promise<T> => {
    const promise = new Promise<T>((resolve, reject) => {
      coordinator.onLine((line) => {
        const said = JSON.parse(line) as Said;
        if (said.ready === false) return reject(refusalOf(said));
        const picked = pick(said);
        if (picked !== undefined) resolve(picked);
      });
      void coordinator.exited.then((exit) => {
        const how = `${describeExit(exit)} before it was ready`;
        reject(new ThawError('CoordinatorLost', `the coordinator ${how}: ${coordinator.lastWords()}`));
      });
    });
    promise.catch(() => undefined);
    return promise;
  };
  return {
    claimed: heard(({ claimed }) => (claimed ? null : undefined)).then(() => undefined),
    ready: heard(({ ready, grpcPort }) => (ready && grpcPort !== undefined ? { grpcPort } : undefined)),
    jobEnd: () => end,
  };
}

function refusalOf({ code = '', message = '' }: Said): ThawError {
  return new ThawError(errorCodeOf(code), message);
}

/**
 * An equal share for each of those that the run starts with. What they were given stays theirs, so of those that come later
 * the n-th gets an n-th, and one that is started again gets what it had: at worst all together hold more than the share,
 * by the logarithm of how much their number grew.
 */
function featureBytes(name: string, trainers: number): number {
  return Math.floor((availableMemory() * featureMemoryShare) / Math.max(trainers, trainerIndex(name) + 1));
}

/** Bytes that this process tree may use: the cgroup's limit where there is one. */
function availableMemory(): number {
  const limit = process.constrainedMemory();
  return limit && limit < os.totalmem() ? limit : os.totalmem();
}
