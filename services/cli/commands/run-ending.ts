// What a run came to: from the coordinator's last word, the processes that were lost and what the output folder holds now.

import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { errorCatalogue } from '@thaw/common/errors/catalogue.ts';
import type { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { resultFiles } from '@thaw/coordinator/export/result-files.ts';
import type { Report } from '@thaw/coordinator/report/build-report.ts';
import { type Child, describeExit } from '../processes/child.ts';
import type { Lost } from '../processes/local-run.ts';
import type { RunEnding } from '../view/run-view.ts';
import type { Followed } from './follow-job.ts';
import type { Run } from './run.ts';

const nothingWritten = 'Nothing was written.';

export async function endingOf(run: Run, { jobEnd, lost }: Followed): Promise<RunEnding> {
  const { out, stopping, children } = run;
  if (jobEnd?.phase === 'Succeeded') {
    const report = JSON.parse(await readFile(resultFiles(out).report, 'utf8')) as Report;
    return {
      kind: 'succeeded',
      out: shown(run, out),
      report,
      predictCommand: `${run.world.command} predict ${shown(run, out)} FILE…`,
    };
  }
  const kept = keptIn(run);
  if (stopping.asked || jobEnd?.phase === 'Cancelled') return { kind: 'cancelled', kept };
  if (jobEnd?.failure) {
    const { code, message } = jobEnd.failure;
    // A process that is gone says how; one that gave its own reason only ended because of it.
    const cause = lost && lost.code === code ? `\n(${lost.message})` : '';
    const logLines = lost ? lost.child.lastLines() : [];
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
  const [, said = '', reason = ''] = /^error \[(\w+)\] (.*)$/.exec(child.lastLines().at(-1) ?? '') ?? [];
  return Object.hasOwn(errorCatalogue, said) ? { code: said, message: `${child.name}: ${reason}` } : { code, message };
}

function coordinatorLost(children: readonly Child[]): { code: string; message: string; logLines: readonly string[] } {
  const coordinator = children.find(({ name }) => name === 'coordinator');
  const how = coordinator?.exit ? describeExit(coordinator.exit) : 'does not answer';
  const message = `the coordinator (pid ${coordinator?.pid}) ${how}`;
  return { code: 'CoordinatorLost', message, logLines: coordinator?.lastLines() ?? [] };
}

/** What is left of a run without a result. Before the folder was this job's, whatever it holds is another's. */
function keptIn(run: Run): string {
  const { events, logs } = resultFiles(run.out);
  const claimed = run.children.some(({ name }) => name === 'nats-server');
  if (!claimed) return nothingWritten;
  const kept = [
    ...(existsSync(events) ? [`events in ${shown(run, events)}`] : []),
    ...(existsSync(logs) ? [`logs in ${shown(run, logs)}`] : []),
  ];
  return `Kept: ${kept.join(', ')}. No model was written; ${nextTime(run, events)}.`;
}

/** Whoever has begun goes on; before that there is nothing to go on with. */
function nextTime(run: Run, events: string): string {
  if (!existsSync(events)) return 'the same command starts anew';
  const line = `${run.world.command} run --resume ${shown(run, run.out)}`;
  const [step] =
    [...readFileSync(events, 'utf8').matchAll(/"kind":"snapshotStored".*"step":(\d+)/g)].at(-1)?.slice(1) ?? [];
  return step === undefined ? `\`${line}\` goes on` : `\`${line}\` goes on after step ${step}`;
}

/** A path as the user would type it. */
function shown({ world }: Run, file: string): string {
  const relative = path.relative(world.cwd, file);
  return relative === '' ? '.' : relative.startsWith('..') ? file : relative;
}
