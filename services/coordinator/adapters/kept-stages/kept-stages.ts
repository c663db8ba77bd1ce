// Results of finished stages on this host, for every job that has the same ones. What is read is verified; what cannot
// be read, verified or written is logged and done without, because training again is always right.

import { readFile } from 'node:fs/promises';
import type { Logger } from '@thaw/common/log/logger.ts';
import type { BadSamples__Output } from '@thaw/proto/gen/thaw/v1/BadSamples.ts';
import { type StageResult, statesAfter, statesOf } from '../../core/kept-stage.ts';
import type { StageResults } from '../../runtime/ports.ts';
import { type BlobStore, diskBlobStore } from '../blob-store.ts';
import { writeFileWhole } from '../write-file.ts';
import { beyondLimits } from './limits.ts';
import { decodeStageFile, encodeStageFile, type StageFile } from './stage-file.ts';
import {
  filesToRemove,
  listStages,
  removeFiles,
  resultFile,
  type StageFolder,
  stageFolder,
  touch,
} from './stage-folder.ts';

export interface KeptStagesOptions {
  readonly cacheDirectory: string;
  /** All kept stages together take at most this much; 0 neither reads nor writes any. */
  readonly bytesMax: number;
  /** Finds nothing, and keeps what is trained. */
  readonly fresh: boolean;
  /** The job's own store. */
  readonly blobs: BlobStore;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
}

/** Of the user who sets no other limit. */
export const stageBytesDefault = 10 * 1024 ** 3;
/** A stage that nothing has used for so long goes, whatever room there is. */
export const stageMillisecondsMax = 30 * 24 * 3_600_000;

const badSamplesKeptMax = 50_000;

export function keptStages(options: KeptStagesOptions): StageResults {
  const { cacheDirectory, bytesMax, fresh, log } = options;
  const folder = stageFolder(cacheDirectory);
  const nothing = { results: [], badSamples: [] };
  const guarded = async <T>(doing: string, work: () => Promise<T>, otherwise: T): Promise<T> =>
    work().catch((error: unknown) => {
      log.warn({ err: error }, doing);
      return otherwise;
    });
  return {
    find: (keyAfter) =>
      bytesMax === 0 || fresh
        ? Promise.resolve(nothing)
        : guarded('earlier stages could not be looked up', () => find(folder, options, keyAfter), nothing),
    keep: (result, badSamples) =>
      bytesMax === 0
        ? Promise.resolve()
        : guarded('a stage could not be kept', () => keep(folder, options, { result, badSamples }), undefined),
  };
}

async function find(
  folder: StageFolder,
  options: KeptStagesOptions,
  keyAfter: (found: readonly StageResult[]) => string | null,
) {
  const { blobs, log, wall } = options;
  const files: StageFile[] = [];
  const resultsOf = (): StageResult[] => files.map(({ result }) => result);
  for (;;) {
    const key = keyAfter(resultsOf());
    const file = key === null ? null : await readResult(folder, key, log);
    if (!file) break;
    files.push(file);
  }
  const kept = diskBlobStore(folder.states);
  while (files.length > 0) {
    const { result, badSamples } = files.at(-1) as StageFile;
    try {
      for (const digest of statesAfter(resultsOf())) await copyBlob(digest, kept, blobs);
      for (const { key } of resultsOf()) await touch(resultFile(folder, key), wall());
      return { results: resultsOf(), badSamples: badSamples as BadSamples__Output['samples'] };
    } catch (error) {
      log.warn({ err: error, key: result.key, stage: result.stageName }, 'a kept stage has lost its state');
      files.pop();
    }
  }
  return { results: [], badSamples: [] };
}

async function readResult(folder: StageFolder, key: string, log: Pick<Logger, 'warn'>): Promise<StageFile | null> {
  const file = resultFile(folder, key);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return null;
  const read = decodeStageFile(text, key);
  if (read.kind === 'read') return read.file;
  log.warn({ file, reason: read.reason }, 'a kept stage is passed over');
  return null;
}

async function keep(folder: StageFolder, options: KeptStagesOptions, file: StageFile): Promise<void> {
  const { blobs, bytesMax, log, wall } = options;
  const { key, stageName } = file.result;
  const digests = statesOf(file.result);
  const bytes = await sizeOf(blobs, digests);
  if (bytes > bytesMax || file.badSamples.length > badSamplesKeptMax) {
    const badSamples = file.badSamples.length;
    log.warn({ key, stage: stageName, bytes, bytesMax, badSamples }, 'a stage is too large to be kept');
    return;
  }
  const kept = diskBlobStore(folder.states);
  for (const digest of digests) await copyBlob(digest, blobs, kept);
  await writeFileWhole(resultFile(folder, key), encodeStageFile(file), 'keeping a stage');
  // One that prunes at this moment may have found a state that nothing named yet.
  const seenAnew = diskBlobStore(folder.states);
  for (const digest of digests) await copyBlob(digest, blobs, seenAnew);
  log.info({ key, stage: stageName, bytes }, 'a stage was kept');
  const all = await listStages(folder);
  const limits = { bytesMax, millisecondsMax: stageMillisecondsMax, now: wall() };
  const going = beyondLimits(all, limits);
  await removeFiles(await filesToRemove(folder, { all, going, now: limits.now }));
  for (const old of going) log.info({ key: old.key }, 'an old stage was removed to make room');
}

async function sizeOf(blobs: BlobStore, digests: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const digest of digests) bytes += await blobs.verify(digest);
  return bytes;
}

/** Does nothing where it is there already, whole. Throws BlobNotFound, BlobCorrupt or StorageFailed. */
async function copyBlob(digest: string, from: BlobStore, to: BlobStore): Promise<void> {
  const isThere = await to.verify(digest).then(
    () => true,
    () => false,
  );
  if (isThere) return;
  await from.verify(digest);
  const writer = await to.writer();
  try {
    for await (const chunk of from.stream(digest, 0)) await writer.write(chunk);
  } catch (thrown) {
    await writer.abort();
    throw thrown;
  }
  await writer.finish();
}
