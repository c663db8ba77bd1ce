// Where the coordinator of an output folder listens, for commands that speak to a run under way. The file is there as
// long as the coordinator is; one that was killed leaves it behind, so that whoever reads it has to ask who answers.

import { readFile, rm } from 'node:fs/promises';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { storageFailed } from '../adapters/storage-failure.ts';
import { writeJsonWhole } from '../adapters/write-file.ts';
import { resultFiles } from './result-files.ts';

const addressVersion = 1;

export interface RunAddress {
  readonly version: typeof addressVersion;
  /** host:port of gRPC. */
  readonly address: string;
  /** Of the coordinator. */
  readonly pid: number;
  /** Of the job: the same in a run that is taken up. */
  readonly uid: string;
}

/** Throws StorageFailed. */
export async function writeRunAddress(out: string, where: Omit<RunAddress, 'version'>): Promise<void> {
  const versioned: RunAddress = { version: addressVersion, ...where };
  await writeJsonWhole(resultFiles(out).coordinator, versioned, 'saying where the coordinator listens');
}

/** Null where there is none. Throws StorageFailed or VersionUnknown. */
export async function readRunAddress(out: string): Promise<RunAddress | null> {
  const file = resultFiles(out).coordinator;
  const text = await readFile(file, 'utf8').catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code === 'ENOENT' || thrown.code === 'ENOTDIR') return null;
    throw storageFailed(thrown, file, 'looking for the run in the output folder');
  });
  if (text === null) return null;
  const found = JSON.parse(text) as RunAddress;
  if (found.version === addressVersion) return found;
  throw new ThawError(
    'VersionUnknown',
    `${file} has version ${found.version}; this Thaw knows version ${addressVersion}`,
  );
}

/** Takes away what this process has written; another coordinator may have the folder since. */
export async function removeRunAddress(out: string, pid: number): Promise<void> {
  const found = await readRunAddress(out);
  if (found?.pid === pid) await rm(resultFiles(out).coordinator, { force: true });
}

/** For who is on the same machine: one that listens everywhere is found on the loopback interface. */
export function dialled(listen: string, port: number): string {
  const host = listen.slice(0, listen.lastIndexOf(':'));
  const loopback: Readonly<Record<string, string>> = { '': '127.0.0.1', '0.0.0.0': '127.0.0.1', '[::]': '[::1]' };
  return `${loopback[host] ?? host}:${port}`;
}
