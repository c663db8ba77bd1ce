// The processes of one local run, started in order (coordinator, broker, trainers) and ended in order (trainers,
// coordinator, broker). Says which one ended before its time; decides nothing about the job.

import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ErrorCode, errorCatalogue } from '@thaw/common/errors/catalogue.ts';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { resultFiles } from '@thaw/coordinator/export/result-files.ts';
import { startBroker } from './broker.ts';
import { type Child, describeExit, startChild } from './child.ts';

export interface LocalRunOptions {
  readonly jobFile: string;
  readonly out: string;
  readonly overwrite: boolean;
  /** --trainers, where it was given. */
  readonly trainersOverride: number | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly cacheDirectory: string;
  readonly starting: (what: string) => void;
}

export interface LocalRun {
  /** host:port of the coordinator. */
  readonly address: string;
  readonly coordinator: Child;
  startTrainers(count: number): void;
  /** The first process that ended before its time: a trainer with an error, or the broker. */
  readonly firstLoss: Promise<Lost>;
}

export interface Lost {
  readonly child: Child;
  readonly code: ErrorCode;
  readonly message: string;
}

/** Share of this machine's memory that the trainers together keep features in. */
const featureMemoryShare = 0.4;

/** Throws what the coordinator says when it cannot begin: JobInvalid, DataInvalid, OutputConflict, … */
export async function startLocalRun(options: LocalRunOptions, children: Child[]): Promise<LocalRun> {
  const { out, env, cacheDirectory, starting } = options;
  const files = resultFiles(out);
  let lose = (_lost: Lost): void => undefined;
  const firstLoss = new Promise<Lost>((resolve) => {
    lose = resolve;
  });
  starting('reading the model and the data');
  const coordinator = startService('coordinator', 'coordinator', coordinatorEnv(options), null);
  children.push(coordinator);
  const said = announcements(coordinator);
  await said.claimed;
  starting('nats-server');
  const logFile = path.join(files.logs, 'nats-server.log');
  const broker = await startBroker({ directory: files.broker, logFile, env });
  children.push(broker.child);
  watch(broker.child, 'BrokerLost', lose);
  coordinator.tell(JSON.stringify({ natsUrl: broker.url }));
  starting('the coordinator');
  const { grpcPort } = await said.ready;
  const address = `127.0.0.1:${grpcPort}`;
  return {
    address,
    coordinator,
    startTrainers(count) {
      const featureBytes = Math.floor((availableMemory() * featureMemoryShare) / count);
      for (let i = 0; i < count; i++) {
        const name = `trainer-${i}`;
        const trainerEnv = {
          ...env,
          THAW_LAUNCHED: '1',
          THAW_COORDINATOR: address,
          THAW_TRAINER_NAME: name,
          THAW_LOG_FILE: path.join(files.logs, `${name}.jsonl`),
          THAW_CACHE: cacheDirectory,
          THAW_FEATURE_BYTES: env.THAW_FEATURE_BYTES ?? String(featureBytes),
        };
        const trainer = startService(name, 'trainer', trainerEnv, path.join(files.logs, `${name}.stderr.log`));
        children.push(trainer);
        watch(trainer, 'TrainerLost', lose);
      }
    },
    firstLoss,
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

function startService(name: string, service: string, env: NodeJS.ProcessEnv, stderrFile: string | null): Child {
  const file = fileURLToPath(import.meta.resolve(`@thaw/${service}/main.ts`));
  return startChild({ name, command: process.execPath, args: [...process.execArgv, file], env, stderrFile });
}

function coordinatorEnv(options: LocalRunOptions): NodeJS.ProcessEnv {
  const { trainersOverride: trainers, overwrite } = options;
  return {
    ...options.env,
    THAW_LAUNCHED: '1',
    THAW_JOB_FILE: options.jobFile,
    THAW_OUT: options.out,
    THAW_JOB_OVERRIDES: JSON.stringify({ ...(trainers !== undefined && { trainers }), overwrite }),
    THAW_LOG_FILE: path.join(resultFiles(options.out).logs, 'coordinator.jsonl'),
    THAW_CACHE: options.cacheDirectory,
  };
}

interface Said {
  readonly claimed?: boolean;
  readonly ready?: boolean;
  readonly grpcPort?: number;
  readonly code?: string;
  readonly message?: string;
}

/** What the coordinator says on stdout. Both reject with its error when it cannot begin, or when it is gone. */
function announcements(coordinator: Child): {
  readonly claimed: Promise<void>;
  readonly ready: Promise<{ readonly grpcPort: number }>;
} {
  const heard = <T>(pick: (said: Said) => T | undefined): Promise<T> => {
    const promise = new Promise<T>((resolve, reject) => {
      coordinator.onLine((line) => {
        const said = JSON.parse(line) as Said;
        if (said.ready === false) return reject(refusalOf(said));
        const picked = pick(said);
        if (picked !== undefined) resolve(picked);
      });
      void coordinator.exited.then((exit) => {
        const tail = coordinator.lastLines().slice(-3).join(' / ');
        reject(new ThawError('CoordinatorLost', `the coordinator ${describeExit(exit)} before it was ready: ${tail}`));
      });
    });
    promise.catch(() => undefined);
    return promise;
  };
  return {
    claimed: heard(({ claimed }) => (claimed ? null : undefined)).then(() => undefined),
    ready: heard(({ ready, grpcPort }) => (ready && grpcPort !== undefined ? { grpcPort } : undefined)),
  };
}

function refusalOf({ code = '', message = '' }: Said): ThawError {
  return new ThawError(code in errorCatalogue ? (code as ErrorCode) : 'Internal', message);
}

function watch(child: Child, code: ErrorCode, lose: (lost: Lost) => void): void {
  void child.exited.then((exit) => {
    if (code === 'TrainerLost' && exit.code === 0) return;
    lose({ child, code, message: `${child.name} (pid ${child.pid}) ${describeExit(exit)}` });
  });
}

/** Bytes that this process tree may use: the cgroup's limit where there is one. */
function availableMemory(): number {
  const limit = process.constrainedMemory();
  return limit && limit < os.totalmem() ? limit : os.totalmem();
}
