// One job from its file to its result: prepare it, claim the output folder, run it, and leave a mark of how it ended.

import type { JobState } from './core/state.ts';
import { claimOutput, writeMark } from './export/output-folder.ts';
import { type PrepareOptions, prepareJob } from './prepare/prepare-job.ts';
import { type RunOptions, runJob } from './run-job.ts';

export interface ServeOptions extends PrepareOptions, Omit<RunOptions, 'started'> {
  /** The user said that whatever the output folder holds may go. */
  readonly overwrite: boolean;
  /** Gets the function that cancels, at once: a job may be cancelled while it is prepared. */
  readonly onCancel: (cancel: (reason: string) => void) => void;
}

/** Resolves with the job's last state. Throws what keeps it from being started, and TermSuperseded. */
export async function serveJob(options: ServeOptions): Promise<JobState> {
  const { out, uid, log, overwrite } = options;
  let early: string | null = null;
  let cancel = (reason: string): void => {
    early ??= reason;
  };
  options.onCancel((reason) => cancel(reason));
  const prepared = await prepareJob(options);
  const job = { uid, name: prepared.job.name, jobDigest: prepared.jobDigest };
  await claimOutput(out, { ...job, overwrite });
  let state = 'Failed';
  try {
    const final = await runJob(prepared, {
      ...options,
      started(cancelRun) {
        cancel = cancelRun;
        if (early !== null) cancel(early);
      },
    });
    state = final.phase;
    return final;
  } finally {
    await writeMark(out, { ...job, pid: null, state }).catch((error: unknown) =>
      log.error({ err: error }, 'the output folder could not be marked'),
    );
  }
}
