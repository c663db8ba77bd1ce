// Fetches one file from the web or S3 into the cache, once. It lies there by its content, whole and synced, or not at all; what
// an interrupted run left is taken up where it ended, if the server still has the same file (ETag, If-Range). With
// `#sha256=…` behind the address the bytes are checked and the network is asked only once; without, the server is asked
// each time whether they changed.

import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { digestOf } from '@thaw/common/content/digest.ts';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { z } from 'zod';
import { storageFailed } from '../../adapters/storage-failure.ts';
import { makeFolder, temporarySuffix, writeFileWhole } from '../../adapters/write-file.ts';
import type { MayFetch } from '../fetching.ts';
import { type DownloadLimits, download, etagFile } from './download.ts';
import type { Address } from './remote-address.ts';

export interface FetchedFile {
  /** Absolute; called as the address calls it. */
  readonly file: string;
  /** Hexadecimal. */
  readonly sha256: string;
  /** The address, without what may be secret in it. */
  readonly shown: string;
  /** What to know where the address names no digest, a sentence. */
  readonly warning: string | null;
}

export interface FetchOptions extends MayFetch {
  readonly cacheDirectory: string;
  readonly limits?: Partial<DownloadLimits>;
}

const knownSchema = z.object({
  version: z.literal(1),
  etag: z.string().nullable(),
  sha256: z.string(),
  name: z.string(),
});
type Known = z.infer<typeof knownSchema>;

/** Throws SourceNotFound, ModelInvalid (another digest) or StorageFailed. */
export async function fetchFile(address: Address, options: FetchOptions): Promise<FetchedFile> {
  const { cacheDirectory, limits, fetching } = options;
  const folder = sourcesFolder(cacheDirectory);
  const place = (sha256: string): string => path.join(folder, sha256, address.name);
  if (address.sha256 !== null && (await hashOf(place(address.sha256))) === address.sha256) {
    return { file: place(address.sha256), sha256: address.sha256, shown: address.shown, warning: null };
  }
  const addressKey = digestOf(address.url.href).slice('sha256:'.length);
  const knownFile = path.join(folder, 'addresses', `${addressKey}.json`);
  const leftover = path.join(folder, 'addresses', addressKey);
  const known = await readKnown(knownFile, place);
  const part = `${leftover}.${randomBytes(6).toString('hex')}${temporarySuffix}`;
  try {
    await makeFolder(path.dirname(part));
    await movePart(leftover, part);
    const etag = await download(address, { part, known: known?.etag ?? null, limits, fetching });
    if (etag === 'unchanged' && known) {
      requireDigest(address, known.sha256);
      return fetched(address, known, place);
    }
    const sha256 = (await hashOf(part)) as string;
    requireDigest(address, sha256);
    await makeFolder(path.dirname(place(sha256)));
    await rename(part, place(sha256));
    const now: Known = { version: 1, etag, sha256, name: address.name };
    await writeFileWhole(knownFile, `${JSON.stringify(now)}\n`, 'noting what was fetched');
    return fetched(address, now, place);
  } catch (thrown) {
    if (!isMisfit(thrown)) await movePart(part, leftover);
    throw storageFailed(thrown, part, `fetching ${address.shown}`);
  } finally {
    for (const left of [part, etagFile(part)]) await rm(left, { force: true });
  }
}

/** What a source without a digest says; `by`: what tells that it changed. */
export function asToday({ shown, server }: Address, { by, sha256 }: { by: string; sha256: string }): string {
  const how = server.remark === '' ? by : `${by}; ${server.remark}`;
  return `${shown} is taken as it is today (${how}); to be sure of the same bytes write #sha256=${sha256} behind it`;
}

export function sourcesFolder(cacheDirectory: string): string {
  return path.join(cacheDirectory, 'sources');
}

function fetched(address: Address, { etag, sha256 }: Known, place: (sha256: string) => string): FetchedFile {
  const by = etag === null ? 'its server gives no ETag' : `its ETag is ${etag}`;
  const warning = asToday(address, { by, sha256 });
  return { file: place(sha256), sha256, shown: address.shown, warning: address.sha256 === null ? warning : null };
}

/** With its ETag, and if it is there: of two processes one gets it. */
async function movePart(from: string, to: string): Promise<void> {
  const moved = await rename(from, to).then(
    () => true,
    () => false,
  );
  if (moved) await rename(etagFile(from), etagFile(to)).catch(() => undefined);
}

/** What was fetched from this address, if it is still there, bit for bit. */
async function readKnown(file: string, place: (sha256: string) => string): Promise<Known | null> {
  const note = await readFile(file, 'utf8')
    .then((text) => JSON.parse(text) as unknown)
    .catch(() => null); // none, or a damaged one: the file is fetched again
  const { success, data } = knownSchema.safeParse(note);
  return success && (await hashOf(place(data.sha256))) === data.sha256 ? data : null;
}

/** Null where there is no such file. */
export async function hashOf(file: string): Promise<string | null> {
  if ((await stat(file).catch(() => null)) === null) return null;
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

function requireDigest({ shown, sha256: expected }: Address, found: string): void {
  if (expected === null || found === expected) return;
  throw new ThawError('ModelInvalid', `${shown}: found sha256=${found}; expected sha256=${expected}`);
}

/** Bytes of another file are of no use to the next run. */
function isMisfit(thrown: unknown): boolean {
  return thrown instanceof ThawError && thrown.code === 'ModelInvalid';
}
