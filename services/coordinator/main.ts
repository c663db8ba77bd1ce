// The coordinator process: prepares the job, serves it, decides, and writes the result. Reads the environment. On stdout
// it says, a line of JSON each, what it fetches (`fetching`), that the output folder is its own (`claimed`), that it
// listens (`ready`), or why it cannot, and last how the job ended (`ended`). A launcher (THAW_LAUNCHED=1) answers `claimed` with the broker's address on stdin,
// so that the broker too can keep its files in the claimed folder, and ends this process by closing stdin. Exit status:
// 0 succeeded, 1 failed, 130 cancelled.

import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { cacheDirectory } from '@thaw/common/environment/cache-directory.ts';
import { type S3Environment, s3Environment } from '@thaw/common/environment/s3-environment.ts';
import { ThawError, toThawError } from '@thaw/common/errors/thaw-error.ts';
import { createLogger } from '@thaw/common/log/logger.ts';
import { ulid } from 'ulid';
import { stageBytesDefault } from './adapters/kept-stages/kept-stages.ts';
import type { JobEnd } from './core/state.ts';
import type { JobText } from './export/given-job.ts';
import type { WaysToEnd } from './run-job.ts';
import { serveJob } from './serve-job.ts';

export const exitStatus = { succeeded: 0, failed: 1, cancelled: 130 } as const;

interface Environment {
  /** Null for a run that is taken up as it was begun. */
  readonly jobFile: string | null;
  readonly out: string;
  /** Empty when a launcher is to say it. */
  readonly natsUrl: string;
  readonly launched: boolean;
  readonly overrides: {
    readonly trainers?: number;
    readonly overwrite?: boolean;
    readonly fresh?: boolean;
    readonly resume?: boolean;
  };
  readonly logFile: string | undefined;
  readonly cacheDirectory: string;
  readonly s3: S3Environment;
  readonly stageBytes: number;
  /** host:port that gRPC listens on. */
  readonly listen: string;
}

function readEnvironment(env: NodeJS.ProcessEnv): Environment {
  const required = (name: string, what: string): string => {
    const value = env[name];
    if (!value) throw new ThawError('SetupMissing', `${name} is not set; expected ${what}`);
    return value;
  };
  const overrides = JSON.parse(env.THAW_JOB_OVERRIDES || '{}') as Environment['overrides'];
  const isGiven = env.THAW_JOB_FILE || !overrides.resume;
  return {
    jobFile: isGiven ? path.resolve(required('THAW_JOB_FILE', 'the path of a job file')) : null,
    out: path.resolve(required('THAW_OUT', 'the path of the output folder')),
    launched: env.THAW_LAUNCHED === '1',
    natsUrl: env.THAW_LAUNCHED === '1' ? '' : required('THAW_NATS_URL', 'the address of nats-server'),
    overrides,
    logFile: env.THAW_LOG_FILE,
    cacheDirectory: cacheDirectory(env),
    s3: s3Environment(env),
    stageBytes: bytesOf('THAW_STAGE_BYTES', env.THAW_STAGE_BYTES, stageBytesDefault),
    listen: env.THAW_LISTEN ?? '127.0.0.1:0',
  };
}

function bytesOf(name: string, text: string | undefined, otherwise: number): number {
  if (!text) return otherwise;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new ThawError('SetupMissing', `${name}: found "${text}"; expected a whole number of bytes`);
}

async function main(): Promise<number> {
  const { jobFile, logFile, overrides, ...environment } = readEnvironment(process.env);
  const launcher = environment.launched ? readLauncher() : null;
  const final = await serveJob({
    ...environment,
    given: jobFile === null ? null : await readJobFile(jobFile),
    overrides,
    overwrite: overrides.overwrite ?? false,
    fresh: overrides.fresh ?? false,
    resume: overrides.resume ?? false,
    newUid: ulid,
    runToken: randomBytes(8).toString('hex'),
    reign: randomBytes(8).toString('hex'),
    fetching: (what) => say({ fetching: what }),
    openLog: () => createLogger({ name: 'coordinator', file: logFile }),
    async natsUrl() {
      say({ claimed: true });
      return launcher ? launcher.natsUrl : environment.natsUrl;
    },
    ready: (announcement) => say({ ready: true, ...announcement }),
    onEndable: (ways) => endWhenAsked(ways, launcher),
  });
  say({ ended: { phase: final.phase, failure: final.failure } satisfies JobEnd });
  if (final.phase === 'Succeeded') return exitStatus.succeeded;
  if (final.failure) process.stderr.write(`error [${final.failure.code}] ${final.failure.message}\n`);
  return final.phase === 'Cancelled' ? exitStatus.cancelled : exitStatus.failed;
}

async function readJobFile(jobFile: string): Promise<JobText> {
  const jobText = await readFile(jobFile, 'utf8').catch((cause: unknown) => {
    throw new ThawError('SourceNotFound', `cannot read the job file ${jobFile}: ${cause}`, { cause });
  });
  return { jobText, fileName: asTyped(jobFile), baseDir: path.dirname(jobFile) };
}

/** Shorter where the file lies below the current folder, as it does for whoever typed it. */
function asTyped(file: string): string {
  const relative = path.relative(process.cwd(), file);
  return relative.startsWith('..') ? file : relative;
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

interface Launcher {
  /** From the first line of stdin. */
  readonly natsUrl: Promise<string>;
  /** Resolves when stdin is closed: whoever started this process is gone. */
  readonly gone: Promise<void>;
}

function readLauncher(): Launcher {
  const lines = createInterface({ input: process.stdin });
  return {
    natsUrl: new Promise((resolve) => {
      lines.once('line', (line) => resolve((JSON.parse(line) as { natsUrl: string }).natsUrl));
    }),
    gone: new Promise((resolve) => lines.once('close', () => resolve())),
  };
}

/**
 * SIGTERM and SIGINT end the job in good order; a second signal is not waited for. A launcher that is gone has taken the
 * trainers with it, so that nobody could take a snapshot.
 */
function endWhenAsked({ stop, cancel }: WaysToEnd, launcher: Launcher | null): void {
  let signals = 0;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (signals > 0) process.exit(exitStatus.cancelled);
      signals += 1;
      stop(signal);
    });
  }
  void launcher?.gone.then(() => cancel('the launcher is gone'));
}

main().then(
  (status) => process.exit(status),
  (thrown: unknown) => {
    const { code, message } = toThawError(thrown);
    say({ ready: false, code, message });
    process.stderr.write(`error [${code}] ${message}\n`);
    process.exit(code === 'Cancelled' ? exitStatus.cancelled : exitStatus.failed);
  },
);
