// An output folder belongs to one job. It is claimed before anything is written into it: a folder that holds another
// job, the same job's finished result, or a run that is still going, is left alone; so is one that was stopped, unless it
// is taken up again or the user says that it may go.

import { readdir, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { isRunning, processIdentity, withLockFile } from '../adapters/lock-file.ts';
import { storageFailed } from '../adapters/storage-failure.ts';
import { makeFolder, temporarySuffix, writeJsonWhole } from '../adapters/write-file.ts';
import { resultFiles } from './result-files.ts';

const markVersion = 1;

export interface JobMark {
  readonly version: typeof markVersion;
  readonly uid: string;
  readonly name: string;
  readonly jobDigest: string;
  /** Of the coordinator; null once it has ended. */
  readonly pid: number | null;
  /** Which process that is, once its number may be another's; absent where the system does not say. */
  readonly process?: string;
  readonly state: string;
}

export interface ClaimOptions {
  readonly uid: string;
  readonly name: string;
  readonly jobDigest: string;
  /** The user said that whatever is there may go. */
  readonly overwrite: boolean;
}

/** Throws OutputConflict or StorageFailed. Of several who claim one folder at once, one gets it. */
export async function claimOutput(out: string, claim: ClaimOptions): Promise<void> {
  const { jobMark } = resultFiles(out);
  const folder = path.dirname(jobMark);
  // Before anything is written: not even a lock belongs into somebody else's folder.
  if ((await readMark(jobMark)) === null) await refuseForeign(out, path.basename(folder));
  await makeFolder(folder).catch((thrown: unknown) => {
    throw storageFailed(thrown, out, 'preparing the output folder');
  });
  await withLockFile(path.join(folder, 'claim'), () => claimLocked(out, claim));
}

/** Takes up a run that was stopped: what it has stored stays. Throws OutputConflict or StorageFailed. */
export async function reclaimOutput(out: string): Promise<JobMark> {
  const files = resultFiles(out);
  const held = await readMark(files.jobMark);
  if (!held)
    throw conflict(out, `${out} holds no run that could be taken up; expected the output folder of an earlier one`);
  return withLockFile(path.join(path.dirname(files.jobMark), 'claim'), async () => {
    const mark = (await readMark(files.jobMark)) ?? held;
    refuseRunning(out, mark);
    if (mark.state === 'Succeeded') {
      const { name, jobDigest } = mark;
      throw conflict(
        out,
        `the run of "${name}" (${jobDigest}) in ${out} is finished, see ${files.report}; there is nothing to take up`,
      );
    }
    await removeTemporary(files.blobs).catch((thrown: unknown) => {
      throw storageFailed(thrown, out, 'preparing the output folder');
    });
    const { uid, name, jobDigest } = mark;
    await writeMark(out, { uid, name, jobDigest, pid: process.pid, state: 'Running' });
    return mark;
  });
}

async function removeTemporary(folder: string): Promise<void> {
  await makeFolder(folder);
  for (const name of await readdir(folder)) {
    if (name.endsWith(temporarySuffix)) await rm(path.join(folder, name), { force: true });
  }
}

/** What the mark says holds until this one is written: only the lock's holder reads and writes it to claim. */
async function claimLocked(out: string, claim: ClaimOptions): Promise<void> {
  const files = resultFiles(out);
  const held = await readMark(files.jobMark);
  if (held) await refuseConflict(out, held, claim);
  try {
    if (held) await removeEarlier(out);
    if (held && held.jobDigest !== claim.jobDigest) await rm(files.blobs, { recursive: true, force: true });
    await removeTemporary(files.blobs);
  } catch (thrown) {
    throw storageFailed(thrown, out, 'preparing the output folder');
  }
  await writeMark(out, { ...claim, pid: process.pid, state: 'Running' });
}

/** What an earlier run of this folder left, so that nobody takes it for this run's. Blobs are named by their content. */
async function removeEarlier(out: string): Promise<void> {
  await withdrawResult(out);
  const { events, logs, broker, givenJob, coordinator } = resultFiles(out);
  for (const left of [events, logs, broker, givenJob, coordinator]) await rm(left, { recursive: true, force: true });
}

/** Takes the result away, the report first, because its presence says that all is there. */
export async function withdrawResult(out: string): Promise<void> {
  const { report, page, card, labels, preprocessing, calibration, modelFolder } = resultFiles(out);
  for (const left of [report, page, card, labels, preprocessing, calibration, modelFolder]) {
    await rm(left, { recursive: true, force: true });
  }
}

export async function writeMark(out: string, mark: Omit<JobMark, 'version'>): Promise<void> {
  const { uid, name, jobDigest, pid, state } = mark;
  const identity = mark.process ?? (pid === null ? null : processIdentity(pid));
  const who = { pid, ...(identity !== null && { process: identity }) };
  const versioned: JobMark = { version: markVersion, uid, name, jobDigest, ...who, state };
  await writeJsonWhole(resultFiles(out).jobMark, versioned, "marking the output folder as the job's");
}

export async function readMark(file: string): Promise<JobMark | null> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw storageFailed(thrown, file, 'reading which job the output folder holds');
  }
  const mark = JSON.parse(text) as JobMark;
  if (mark.version === markVersion) return mark;
  throw new ThawError('VersionUnknown', `${file} has version ${mark.version}; this Thaw knows version ${markVersion}`);
}

/** A folder with somebody else's files is never written into, whatever the user said. */
async function refuseForeign(out: string, own: string): Promise<void> {
  const entries = await readdir(out).catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code === 'ENOENT') return [];
    throw storageFailed(thrown, out, 'preparing the output folder');
  });
  const entry = entries.find((name) => name !== own);
  if (entry === undefined) return;
  throw new ThawError(
    'OutputConflict',
    `${out} is not empty (it holds "${entry}") and no result of Thaw; expected a new, an empty or an earlier output folder: give another with --out`,
    { data: { out } },
  );
}

function conflict(out: string, message: string, data: Readonly<Record<string, unknown>> = {}): ThawError {
  return new ThawError('OutputConflict', message, { data: { out, ...data } });
}

function refuseRunning(out: string, { name, pid, process: identity }: JobMark): void {
  if (pid === null || pid === process.pid || !isRunning(pid, identity)) return;
  throw conflict(
    out,
    `${out} is in use by another run of "${name}" (process ${pid}); wait for it, or choose another output folder`,
  );
}

async function refuseConflict(out: string, held: JobMark, claim: ClaimOptions): Promise<void> {
  const data = { held: held.jobDigest, wanted: claim.jobDigest };
  refuseRunning(out, held);
  if (claim.overwrite) return;
  if (held.jobDigest !== claim.jobDigest) {
    throw conflict(
      out,
      `${out} holds another job: found "${held.name}" (${held.jobDigest}), expected "${claim.name}" (${claim.jobDigest}); ` +
        'give another folder with --out, or --overwrite to replace this one',
      data,
    );
  }
  if (held.state === 'Succeeded') {
    throw conflict(
      out,
      `${out} holds the finished result of just this job (${held.jobDigest}), see ${resultFiles(out).report}; ` +
        'to train it again give another folder with --out, or --overwrite to replace this one',
      data,
    );
  }
  if (await isBegun(out)) {
    throw conflict(
      out,
      `${out} holds an unfinished run of just this job (it ended as ${held.state}); ` +
        `go on with \`thaw run --resume ${out}\`, or begin anew with --overwrite`,
      data,
    );
  }
}

/** A run that never came to its job has nothing that could be lost. */
async function isBegun(out: string): Promise<boolean> {
  const { events } = resultFiles(out);
  return stat(events).then(
    ({ size }) => size > 0,
    () => false,
  );
}
