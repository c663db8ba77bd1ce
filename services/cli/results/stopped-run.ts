// What an output folder says of a run that is not under way: its report where it has succeeded, else its last event.

import { readFile } from 'node:fs/promises';
import type { JobMark } from '@thaw/coordinator/export/output-folder.ts';
import { resultFiles } from '@thaw/coordinator/export/result-files.ts';
import type { Report } from '@thaw/coordinator/report/build-report.ts';
import type { JobEvent } from '../view/job-event.ts';

export interface StoppedRun {
  readonly name: string;
  /** Killed: the coordinator did not get to say how it ended. */
  readonly state: 'Succeeded' | 'Failed' | 'Cancelled' | 'Killed';
  readonly jobDigest: string;
  /** Why there is no result. */
  readonly code?: string;
  readonly message?: string;
  readonly weightsDigest?: string;
  readonly test?: Pick<Report['test'], 'loss' | 'accuracy' | 'macroF1' | 'auc' | 'count'>;
  readonly seconds?: number;
}

export async function readStoppedRun(out: string, mark: JobMark): Promise<StoppedRun> {
  const { name, jobDigest } = mark;
  if (mark.state === 'Succeeded') {
    const report = JSON.parse(await readFile(resultFiles(out).report, 'utf8')) as Report;
    const { loss, accuracy, macroF1, auc, count } = report.test;
    const { weightsDigest } = report;
    const test = { loss, accuracy, macroF1, auc, count };
    return { name, state: 'Succeeded', jobDigest, weightsDigest, test, seconds: report.seconds.total };
  }
  const last = mark.pid === null ? await lastEvent(out) : null;
  if (last?.kind === 'jobFailed') {
    return { name, state: 'Failed', jobDigest, code: last.code, message: last.message };
  }
  if (last?.kind === 'jobCancelled') return { name, state: 'Cancelled', jobDigest, message: last.reason };
  const state = mark.pid !== null ? 'Killed' : mark.state === 'Cancelled' ? 'Cancelled' : 'Failed';
  return { name, state, jobDigest };
}

/** Null where there is none; the last line may be torn. */
async function lastEvent(out: string): Promise<JobEvent | null> {
  const text = await readFile(resultFiles(out).events, 'utf8').catch(() => '');
  const line =
    text
      .slice(0, Math.max(0, text.lastIndexOf('\n')))
      .split('\n')
      .at(-1) ?? '';
  return line === '' ? null : (JSON.parse(line) as JobEvent);
}
