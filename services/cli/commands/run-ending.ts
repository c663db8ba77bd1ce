// What a run came to: from the coordinator's last word, the processes that were lost and what the output folder holds now.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { resultFiles } from '@thaw/coordinator/export/result-files.ts';
import type { Report } from '@thaw/coordinator/report/build-report.ts';
import { type Child, describeExit } from '../processes/child.ts';
import type { Lost } from '../processes/local-run.ts';
import { ownReason } from '../processes/own-reason.ts';
import type { RunEnding } from '../view/run-view.ts';
import type { Followed } from './follow-job.ts';
import { nextTime, shownPath } from './places.ts';
import type { Run } from './run.ts';

const nothingWritten = 'Nothing was written.';

export async function endingOf(run: Run, { jobEnd, lost }: Followed): Promise<RunEnding> {
  const { world, out, stopping, children } = run;
  if (jobEnd?.phase === 'Succeeded') {
    const report = JSON.parse(await readFile(resultFiles(out).report, 'utf8')) as Report;
    return {
      kind: 'succeeded',
      out: shownPath(world, out),
      report,
      predictCommand: `${world.command} predict ${shownPath(world, out)} FILE…`,
    };
  }
  const kept = keptIn(run);
  if (stopping.asked || jobEnd?.phase === 'Cancelled') return { kind: 'cancelled', kept };
  if (jobEnd?.failure) {
    const { code, message, trainer } = jobEnd.failure;
    // A process that is gone says how; one that gave its own reason only ended because of it.
    const cause = lost && lost.code === code ? `\n(${lost.message})` : '';
    const atFault = lost?.child ?? children.findLast(({ name }) => name === trainer);
    const logLines = atFault?.lastLines() ?? [];
    return { kind: 'failed', code, message: `${message}${cause}`, kept, logLines };
  }
  if (lost) return { kind: 'failed', ...saidBy(lost), kept, logLines: lost.child.lastLines() };
  return { kind: 'failed', ...coordinatorLost(children), kept };
}

/** A run that never got to a job. */
export function endingOfError(run: Run, { code, message }: ThawError): RunEnding {
  const kept = keptIn(run);
  if (run.stopping.asked || code === 'Cancelled') return { kind: 'cancelled', kept };
  return { kind: 'failed', code, message, kept, logLines: [] };
}

/** A job that was not even begun. */
export function refused({ code, message }: ThawError): RunEnding {
  return { kind: 'failed', code, message, kept: nothingWritten, logLines: [] };
}

/**
 * A trainer that cannot start, or was refused, is none of the job's members: the coordinator has no verdict on it, but
 * its last line says why it ended.
 */
function saidBy({ child, code, message }: Lost): { code: string; message: string } {
  return ownReason(child) ?? { code, message };
}

function coordinatorLost(children: readonly Child[]): { code: string; message: string; logLines: readonly string[] } {
  const coordinator = children.find(({ name }) => name === 'coordinator');
  const how = coordinator?.exit ? describeExit(coordinator.exit) : 'does not answer';
  const message = `the coordinator (pid ${coordinator?.pid}) ${how}`;
  return { code: 'CoordinatorLost', message, logLines: coordinator?.lastLines() ?? [] };
}

/** What is left of a run without a result. Before the folder was this job's, whatever it holds is another's. */
function keptIn({ world, out, children }: Run): string {
  const { events, logs } = resultFiles(out);
  const claimed = children.some(({ name }) => name === 'nats-server');
  if (!claimed) return nothingWritten;
  const kept = [
    ...(existsSync(events) ? [`events in ${shownPath(world, events)}`] : []),
    ...(existsSync(logs) ? [`logs in ${shownPath(world, logs)}`] : []),
  ];
  return `Kept: ${kept.join(', ')}. No model was written; ${nextTime(world, out)}.`;
}
