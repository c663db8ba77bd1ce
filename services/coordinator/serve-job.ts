// One job from its file to its result: prepare it, claim the output folder, run it, and leave a mark of how it ended.

import { ThawError, toThawError } from '@thaw/common/errors/thaw-error.ts';
import type { Logger } from '@thaw/common/log/logger.ts';
import type { JobState } from './core/state.ts';
import { claimOutput, writeMark } from './export/output-folder.ts';
import { type PrepareOptions, prepareJob } from './prepare/prepare-job.ts';
import { type RunOptions, runJob } from './run-job.ts';

export interface ServeOptions extends PrepareOptions, Omit<RunOptions, 'started' | 'log' | 'natsUrl'> {
  /** Called once the output folder is the job's: not before may anything be written there. */
  readonly openLog: () => Logger;
  /** Address of the broker; asked for once the output folder is the job's. */
  readonly natsUrl: () => Promise<string>;
  /** The user said that whatever the output folder holds may go. */
  readonly overwrite: boolean;
  /** Gets the function that cancels, at once: a job may be cancelled while it is prepared. */
  readonly onCancel: (cancel: (reason: string) => void) => void;
}

/** Resolves with the job's last state. Throws what keeps it from being started, Cancelled, and TermSuperseded. */
export async function serveJob(options: ServeOptions): Promise<JobState> {
  const { out, uid, overwrite } = options;
  const early = cancelledEarly();
  let cancel = early.cancel;
  options.onCancel((reason) => cancel(reason));
  const prepared = await Promise.race([prepareJob(options), early.asked]);
  const job = { uid, name: prepared.job.name, jobDigest: prepared.jobDigest };
  await claimOutput(out, { ...job, overwrite });
  const log = options.openLog();
  let state = 'Failed';
  try {
    const natsUrl = await Promise.race([options.natsUrl(), early.asked]);
    const started = (cancelRun: typeof cancel): void => {
      cancel = cancelRun;
    };
    const final = await Promise.race([runJob(prepared, { ...options, natsUrl, log, started }), early.asked]);
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

/** Before there is a job to cancel, cancelling ends the preparation. */
function cancelledEarly(): { readonly asked: Promise<never>; cancel(reason: string): void } {
  let cancel = (_reason: string): void => undefined;
  const asked = new Promise<never>((_resolve, reject) => {
    cancel = (reason) => reject(new ThawError('Cancelled', `cancelled before training began: ${reason}`));
  });
  asked.catch(() => undefined);
  return { asked, cancel };
}
