// The job as it was given, kept in the output folder, so that a run is taken up again without its file; and what it was
// resolved to, so that a job which has changed meanwhile is refused by the name of the field.

import { readFile } from 'node:fs/promises';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { decisiveFields } from '@thaw/common/job/job-digest.ts';
import type { ResolvedJob } from '@thaw/common/job/resolved-job.ts';
import { writeJsonWhole } from '../adapters/write-file.ts';
import type { PreparedJob } from '../prepare/prepared-job.ts';
import { resultFiles } from './result-files.ts';

const givenJobVersion = 1;

export interface JobText {
  readonly jobText: string;
  /** Named in error messages. */
  readonly fileName: string;
  /** Relative `file:` sources start here. */
  readonly baseDir: string;
}

export interface GivenJob extends JobText {
  readonly version: typeof givenJobVersion;
  readonly jobDigest: string;
  readonly resolved: ResolvedJob;
  readonly modelDigest: string;
  readonly dataDigest: string;
}

export async function writeGivenJob(out: string, text: JobText, prepared: PreparedJob): Promise<void> {
  const { jobText, fileName, baseDir } = text;
  const { jobDigest, job, modelDigest, manifest } = prepared;
  const digests = { jobDigest, modelDigest, dataDigest: manifest.digest };
  const given: GivenJob = { version: givenJobVersion, jobText, fileName, baseDir, resolved: job, ...digests };
  await writeJsonWhole(resultFiles(out).givenJob, given, 'keeping the job file in the output folder');
}

/** Throws OutputConflict when the folder holds no run that could be taken up. */
export async function readGivenJob(out: string): Promise<GivenJob> {
  const file = resultFiles(out).givenJob;
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new ThawError('OutputConflict', `${out} holds no run that could be taken up: there is no ${file}`, { cause });
  });
  const given = JSON.parse(text) as GivenJob;
  if (given.version === givenJobVersion) return given;
  throw new ThawError(
    'VersionUnknown',
    `${file} has version ${given.version}; this Thaw knows version ${givenJobVersion}`,
  );
}

/** Throws OutputConflict that names what is not as it was. */
export function requireSameJob(given: GivenJob, { job, jobDigest, modelDigest, manifest }: PreparedJob): void {
  if (jobDigest === given.jobDigest) return;
  const refuse = (message: string): never => {
    throw new ThawError('OutputConflict', `${message}; a run is taken up with the job that it was begun with`, {
      data: { held: given.jobDigest, wanted: jobDigest },
    });
  };
  const changed = firstDifference(decisiveFields(given.resolved), decisiveFields(job));
  if (changed) {
    const { path, before, now } = changed;
    refuse(
      `the job has changed: found ${placesInFile[path] ?? path} ${JSON.stringify(now)}; expected ${JSON.stringify(before)}`,
    );
  }
  if (modelDigest !== given.modelDigest) {
    refuse(`the model ${job.model.source} has changed: found ${modelDigest}; expected ${given.modelDigest}`);
  }
  refuse(`the data ${job.data.source} has changed: found ${manifest.digest}; expected ${given.dataDigest}`);
}

/** Where a decisive field stands in a job file, when it is not under its own name. */
const placesInFile: Readonly<Record<string, string>> = {
  threads: 'trainers.threads',
  engine: 'trainers.engine',
  weights: 'output.weights',
  metric: 'output.metric',
  calibrate: 'output.calibrate',
};

interface Difference {
  readonly path: string;
  readonly before: unknown;
  readonly now: unknown;
}

function firstDifference(before: unknown, now: unknown, path = ''): Difference | null {
  const isBoth = isObject(before) && isObject(now);
  if (!isBoth) return JSON.stringify(before) === JSON.stringify(now) ? null : { path, before, now };
  for (const key of new Set([...Object.keys(before), ...Object.keys(now)])) {
    const found = firstDifference(before[key], now[key], path === '' ? key : `${path}.${key}`);
    if (found) return found;
  }
  return null;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object';
}
