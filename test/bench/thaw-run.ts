// One `thaw run` as a benchmark sees it: the processes that a user starts, timed from outside and by the job's events.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { resultFiles } from '@thaw/coordinator/export/result-files.ts';
import type { Report } from '@thaw/coordinator/report/build-report.ts';
import { runThaw } from '../support/thaw-process.ts';

export interface ThawRun {
  /** From the command to its end. */
  readonly seconds: number;
  /** Of each stage's epochs: training, validation and what lies between. */
  readonly epochSeconds: readonly (readonly number[])[];
  /** From the command to the first stage: processes, model, proofs. */
  readonly startSeconds: number;
  readonly accuracy: number;
}

interface Event {
  readonly kind: string;
  readonly at: string;
}

/** The job is `job.yaml` in the folder; its result is replaced. */
export async function timedRun(folder: string): Promise<ThawRun> {
  const began = Date.now();
  const args = ['run', 'job.yaml', '--trainers', '2', '--out', 'out', '--overwrite'];
  const { status, stderr, seconds } = await runThaw(args, { cwd: folder });
  if (status !== 0) throw new Error(`thaw run ended with ${status}:\n${stderr}`);
  const files = resultFiles(path.join(folder, 'out'));
  const lines = (await readFile(files.events, 'utf8')).trim().split('\n');
  const events = lines.map((line) => JSON.parse(line) as Event);
  const report = JSON.parse(await readFile(files.report, 'utf8')) as Report;
  const first = events.find(({ kind }) => kind === 'stageStarted');
  return {
    seconds,
    epochSeconds: epochSeconds(events),
    startSeconds: (Date.parse(first?.at ?? '') - began) / 1000,
    accuracy: report.test.accuracy,
  };
}

function epochSeconds(events: readonly Event[]): number[][] {
  const stages: number[][] = [];
  let last = 0;
  for (const { kind, at } of events) {
    if (kind === 'stageStarted') stages.push([]);
    else if (kind === 'epochEvaluated') stages.at(-1)?.push((Date.parse(at) - last) / 1000);
    else continue;
    last = Date.parse(at);
  }
  return stages;
}
