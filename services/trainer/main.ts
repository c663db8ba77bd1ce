// The trainer process: reads the environment, starts the comms thread, trains until told to finish. Exit status: 0
// when the coordinator ended the job, 1 after an error of its own, 143 when it was asked to leave.

import { randomBytes } from 'node:crypto';
import os from 'node:os';
import { cacheDirectory } from '@thaw/common/environment/cache-directory.ts';
import { ThawError, toThawError } from '@thaw/common/errors/thaw-error.ts';
import { createLogger } from '@thaw/common/log/logger.ts';
import { type CommsLink, startComms } from './comms/comms-link.ts';
import { runTrainer } from './train/trainer.ts';

/** Share of the memory that this process may use, kept for boundary features unless THAW_FEATURE_BYTES says else. */
const featureMemoryShare = 0.25;

const exitStatus = { finished: 0, failed: 1, asked: 143 } as const;

interface Environment {
  readonly coordinator: string;
  /** Whoever started this process ends it by closing stdin. */
  readonly launched: boolean;
  readonly name: string;
  readonly logFile: string | undefined;
  readonly cacheDirectory: string;
  readonly featureBytes: number;
}

function readEnvironment(env: NodeJS.ProcessEnv): Environment {
  const coordinator = env.THAW_COORDINATOR;
  if (!coordinator) {
    throw new ThawError('SetupMissing', 'THAW_COORDINATOR is not set; expected the host:port of a coordinator');
  }
  const memory = process.constrainedMemory();
  const available = memory && memory < os.totalmem() ? memory : os.totalmem();
  return {
    coordinator,
    launched: env.THAW_LAUNCHED === '1',
    name: env.THAW_TRAINER_NAME ?? `trainer-${process.pid}`,
    logFile: env.THAW_LOG_FILE,
    cacheDirectory: cacheDirectory(env),
    featureBytes: env.THAW_FEATURE_BYTES ? bytesIn(env.THAW_FEATURE_BYTES) : available * featureMemoryShare,
  };
}

function bytesIn(text: string): number {
  const bytes = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(bytes)) return bytes;
  throw new ThawError(
    'SetupMissing',
    `THAW_FEATURE_BYTES: found "${text}"; expected a whole number of bytes, 0 or more`,
  );
}

async function main(): Promise<void> {
  const environment = readEnvironment(process.env);
  const incarnation = randomBytes(8).toString('hex');
  const log = createLogger({ name: environment.name, file: environment.logFile });
  const link = await startComms({ ...environment, incarnation });
  process.stdout.write(`${JSON.stringify({ ready: true, metricsPort: link.metricsPort })}\n`);
  leaveWhenAsked(link, environment.launched);
  try {
    const outcome = await runTrainer(link, { ...environment, incarnation, log });
    log.info({ outcome }, 'finished');
    await link.close();
    process.exit(exitStatus.finished);
  } catch (thrown) {
    const error = toThawError(thrown);
    log.error({ code: error.code, err: error }, error.message);
    process.stderr.write(`error [${error.code}] ${error.message}\n`);
    link.send({ failure: { code: error.code, message: error.message, ...placeOf(error) } });
    await link.close();
    process.exit(exitStatus.failed);
  }
}

/** Stage, step and tensor of an error, as far as it names them. */
function placeOf({ data }: ThawError): { stage?: number; step?: number; tensor?: string } {
  return {
    ...(typeof data.stage === 'number' && { stage: data.stage }),
    ...(typeof data.step === 'number' && { step: data.step }),
    ...(typeof data.tensor === 'string' && { tensor: data.tensor }),
  };
}

/** SIGTERM, SIGINT and a launcher that is gone are requests to leave; a second signal is not waited for. */
function leaveWhenAsked(link: CommsLink, launched: boolean): void {
  let isLeaving = false;
  const leave = async (reason: string): Promise<void> => {
    if (isLeaving) return;
    isLeaving = true;
    link.send({ goodbye: { appliedStep: link.board.get('step'), reason } });
    await link.close();
    process.exit(exitStatus.asked);
  };
  let signals = 0;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (signals > 0) process.exit(exitStatus.asked);
      signals += 1;
      void leave(signal);
    });
  }
  if (launched) {
    process.stdin.once('close', () => {
      void leave('the launcher is gone');
    });
    process.stdin.resume();
  }
}

main().catch((thrown: unknown) => {
  const error = toThawError(thrown);
  process.stderr.write(`error [${error.code}] ${error.message}\n`);
  process.exit(exitStatus.failed);
});
