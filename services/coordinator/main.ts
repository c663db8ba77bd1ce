// The coordinator process: prepares the job, serves it, decides, and writes the result. Reads the environment; prints
// one line of JSON when it is ready or cannot be. Exit status: 0 succeeded, 1 failed, 130 cancelled.

import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { cacheDirectory } from '@thaw/common/environment/cache-directory.ts';
import { ThawError, toThawError } from '@thaw/common/errors/thaw-error.ts';
import { createLogger } from '@thaw/common/log/logger.ts';
import { ulid } from 'ulid';
import { serveJob } from './serve-job.ts';

export const exitStatus = { succeeded: 0, failed: 1, cancelled: 130 } as const;

interface Environment {
  readonly jobFile: string;
  readonly out: string;
  readonly natsUrl: string;
  readonly overrides: { readonly trainers?: number; readonly overwrite?: boolean };
  readonly logFile: string | undefined;
  readonly cacheDirectory: string;
  /** host:port that gRPC listens on. */
  readonly listen: string;
}

function readEnvironment(env: NodeJS.ProcessEnv): Environment {
  const required = (name: string, what: string): string => {
    const value = env[name];
    if (!value) throw new ThawError('SetupMissing', `${name} is not set; expected ${what}`);
    return value;
  };
  return {
    jobFile: path.resolve(required('THAW_JOB_FILE', 'the path of a job file')),
    out: path.resolve(required('THAW_OUT', 'the path of the output folder')),
    natsUrl: required('THAW_NATS_URL', 'the address of nats-server'),
    overrides: JSON.parse(env.THAW_JOB_OVERRIDES || '{}') as Environment['overrides'],
    logFile: env.THAW_LOG_FILE,
    cacheDirectory: cacheDirectory(env),
    listen: env.THAW_LISTEN ?? '127.0.0.1:0',
  };
}

async function main(): Promise<number> {
  const { jobFile, logFile, overrides, ...environment } = readEnvironment(process.env);
  const log = createLogger({ name: 'coordinator', file: logFile });
  const jobText = await readFile(jobFile, 'utf8').catch((cause: unknown) => {
    throw new ThawError('SourceNotFound', `cannot read the job file ${jobFile}: ${cause}`, { cause });
  });
  const final = await serveJob({
    ...environment,
    jobText,
    fileName: jobFile,
    baseDir: path.dirname(jobFile),
    overrides,
    overwrite: overrides.overwrite ?? false,
    uid: ulid(),
    runToken: randomBytes(8).toString('hex'),
    log,
    ready: (announcement) => process.stdout.write(`${JSON.stringify({ ready: true, ...announcement })}\n`),
    onCancel: cancelWhenAsked,
  });
  if (final.phase === 'Succeeded') return exitStatus.succeeded;
  if (final.failure) process.stderr.write(`error [${final.failure.code}] ${final.failure.message}\n`);
  return final.phase === 'Cancelled' ? exitStatus.cancelled : exitStatus.failed;
}

/** A closed stdin (the launcher is gone), SIGTERM and SIGINT cancel the job; a second signal is not waited for. */
function cancelWhenAsked(cancel: (reason: string) => void): void {
  let asked = false;
  const ask = (reason: string): void => {
    if (asked) process.exit(exitStatus.cancelled);
    asked = true;
    cancel(reason);
  };
  process.on('SIGTERM', () => ask('SIGTERM'));
  process.on('SIGINT', () => ask('SIGINT'));
  process.stdin.on('close', () => asked || ask('the launcher closed stdin')).resume();
}

main().then(
  (status) => process.exit(status),
  (thrown: unknown) => {
    const { code, message } = toThawError(thrown);
    process.stdout.write(`${JSON.stringify({ ready: false, code, message })}\n`);
    process.stderr.write(`error [${code}] ${message}\n`);
    process.exit(exitStatus.failed);
  },
);
