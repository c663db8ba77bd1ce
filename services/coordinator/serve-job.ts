// One job from its file to its result: prepare it, claim the output folder, run it, and leave a mark of how it ended. Or
// the rest of one: the job file is then the one in the output folder, unless another is given, which has to be the same job.

import { invariant, ThawError, toThawError } from '@thaw/common/errors/thaw-error.ts';
import type { Logger } from '@thaw/common/log/logger.ts';
import type { JobState } from './core/state.ts';
import { type JobText, readGivenJob, requireSameJob, writeGivenJob } from './export/given-job.ts';
import { claimOutput, reclaimOutput, writeMark } from './export/output-folder.ts';
import { type PrepareOptions, prepareJob } from './prepare/prepare-job.ts';
import type { PreparedJob } from './prepare/prepared-job.ts';
import { type RunOptions, runJob, type WaysToEnd } from './run-job.ts';

export interface ServeOptions
  extends Omit<PrepareOptions, keyof JobText>,
    Omit<RunOptions, 'started' | 'log' | 'natsUrl' | 'uid'> {
  /** Null takes that of the run which is taken up. */
  readonly given: JobText | null;
  /** Of a run that is begun. */
  readonly newUid: () => string;
  /** Called once the output folder is the job's: not before may anything be written there. */
  readonly openLog: () => Logger;
  /** Address of the broker; asked for once the output folder is the job's. */
  readonly natsUrl: () => Promise<string>;
  /** The user said that whatever the output folder holds may go. */
  readonly overwrite: boolean;
  /** Gets the functions that end the job, at once: one may be cancelled while it is prepared. */
  readonly onEndable: (ways: WaysToEnd) => void;
}

/** Resolves with the job's last state. Throws what keeps it from being started, Cancelled, and TermSuperseded. */
export async function serveJob(options: ServeOptions): Promise<JobState> {
  const { out, resume } = options;
  const early = cancelledEarly();
  let ways: WaysToEnd = early;
  options.onEndable({ stop: (reason) => ways.stop(reason), cancel: (reason) => ways.cancel(reason) });
  const before = resume ? await readGivenJob(out) : null;
  const text = options.given ?? before;
  invariant(text !== null, 'a run that is begun has a job file');
  const prepared = await Promise.race([prepareJob({ ...options, ...text }), early.asked]);
  if (before) requireSameJob(before, prepared);
  const job = await claim(options, prepared);
  if (!before) await writeGivenJob(out, text, prepared);
  const log = options.openLog();
  let state = 'Failed';
  try {
    const natsUrl = await Promise.race([options.natsUrl(), early.asked]);
    const started = (ofRun: WaysToEnd): void => {
      ways = ofRun;
    };
    const { uid } = job;
    const final = await Promise.race([runJob(prepared, { ...options, uid, natsUrl, log, started }), early.asked]);
    state = final.phase;
    return final;
  } catch (thrown) {
    if (toThawError(thrown).code === 'Cancelled') state = 'Cancelled';
    throw thrown;
  } finally {
    await writeMark(out, { ...job, pid: null, state }).catch((error: unknown) =>
      log.error({ err: error }, 'the output folder could not be marked'),
    );
  }
}

/** Of a run that is taken up everything stays, its uid too. */
async function claim({ out, resume, overwrite, newUid }: ServeOptions, { job, jobDigest }: PreparedJob) {
  if (resume) {
    const { uid, name } = await reclaimOutput(out);
    return { uid, name, jobDigest };
  }
  const claimed = { uid: newUid(), name: job.name, jobDigest };
  await claimOutput(out, { ...claimed, overwrite });
  return claimed;
}

/** Before there is a job to cancel, cancelling ends the preparation. */
function cancelledEarly(): WaysToEnd & { readonly asked: Promise<never> } {
  let cancel = (_reason: string): void => undefined;
  const asked = new Promise<never>((_resolve, reject) => {
    cancel = (reason) => reject(new ThawError('Cancelled', `cancelled before training began: ${reason}`));
  });
  asked.catch(() => undefined);
  return { asked, cancel, stop: cancel };
}
