// Brings the bytes behind an address into a file, in as many requests as it takes: each goes on where the last one ended,
// as long as the server has the same file. Silence, size and number of tries are limited.

import { open, readFile, stat, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { MayFetch } from '../fetching.ts';
import type { Refusal } from './file-server.ts';
import type { Address } from './remote-address.ts';

export interface DownloadLimits {
  readonly bytesMax: number;
  /** In which at least `progressBytes` come. */
  readonly silenceMilliseconds: number;
  readonly progressBytes: number;
  readonly triesMax: number;
  /** Before the second try; doubled before each further one. */
  readonly pauseMilliseconds: number;
}

export const downloadBytesMax = 16 * 1024 ** 3;

const defaultLimits: DownloadLimits = {
  bytesMax: downloadBytesMax,
  silenceMilliseconds: 60_000,
  progressBytes: 64 * 1024,
  triesMax: 5,
  pauseMilliseconds: 500,
};

export interface DownloadOptions extends MayFetch {
  /** Grows; its ETag lies beside it while it is not whole. */
  readonly part: string;
  /** ETag of what the caller has already. */
  readonly known: string | null;
  readonly limits?: Partial<DownloadLimits> | undefined;
}

/** The ETag of the whole file, null where the server gives none, or `unchanged`. Throws SourceNotFound. */
export async function download(address: Address, options: DownloadOptions): Promise<string | null> {
  const limits = { ...defaultLimits, ...options.limits };
  let last: unknown;
  for (let attempt = 0; attempt < limits.triesMax; attempt++) {
    if (attempt > 0) await delay(limits.pauseMilliseconds * 2 ** (attempt - 1));
    try {
      return await tryOnce(address, { ...options, limits });
    } catch (thrown) {
      if (thrown instanceof ThawError || isOfDisk(thrown)) throw thrown;
      last = thrown;
    }
  }
  const { message, cause } = last as Error;
  // What failed for each of several addresses of a host has a code only.
  const reason = cause instanceof Error ? `${message}: ${cause.message || String(Object(cause).code)}` : message;
  throw notFetched(address, `${reason} (${limits.triesMax} tries)`, last);
}

interface Attempt extends DownloadOptions {
  readonly limits: DownloadLimits;
}

async function tryOnce(address: Address, { part, known, limits, fetching }: Attempt): Promise<string | null> {
  const started = await startedPart(part);
  const silence = new AbortController();
  const { silenceMilliseconds, progressBytes } = limits;
  const said = `fewer than ${progressBytes} bytes came in ${silenceMilliseconds} ms`;
  const endSilence = (): void => silence.abort(new Error(said));
  const timer = setTimeout(endSilence, silenceMilliseconds);
  try {
    const { server, url } = address;
    const headers: Record<string, string> = { 'accept-encoding': 'identity' };
    if (started) Object.assign(headers, { range: `bytes=${started.bytes}-`, [server.ifSame]: started.etag });
    else if (known !== null) headers['if-none-match'] = known;
    const response = await server.ask(url, headers, silence.signal);
    if (!(response instanceof Response)) throw refused(address, response);
    if (response.status === 304 && !started && known !== null) return 'unchanged';
    await requireAnswer(address, response, part);
    const from = response.status === 206 ? (started?.bytes ?? 0) : 0;
    const length = lengthOf(response, from);
    if (length > limits.bytesMax)
      throw notFetched(address, `it has ${length} bytes; expected at most ${limits.bytesMax}`);
    const etag = response.headers.get('etag');
    if (from > 0 && etag !== null && etag !== started?.etag) {
      await writeFile(etagFile(part), '');
      throw new Error(`found a part of the file ${etag}; expected one of ${started?.etag}`);
    }
    await writeFile(etagFile(part), etag !== null && !etag.startsWith('W/') ? etag : '');
    fetching?.(address.shown);
    timer.refresh();
    const written = await append({ response, part, from, limits, heard: () => timer.refresh() });
    if (written > limits.bytesMax) throw notFetched(address, `it has more than ${limits.bytesMax} bytes`);
    if (!Number.isNaN(length) && written !== length) throw new Error(`found ${written} bytes; expected ${length}`);
    return etag;
  } finally {
    clearTimeout(timer);
    silence.abort(); // an answer that was not read to its end would keep its connection
  }
}

/** Of the whole file; NaN where the server does not say. A part may end before the file does, as the server likes. */
function lengthOf({ status, headers }: Response, from: number): number {
  if (status !== 206) return Number(headers.get('content-length') ?? Number.NaN);
  const range = headers.get('content-range');
  if (!range?.startsWith(`bytes ${from}-`)) throw new Error(`found the range ${range}; expected ${from}-`);
  const total = /\/(\d+)$/.exec(range)?.[1];
  return total === undefined ? Number(headers.get('content-length') ?? Number.NaN) + from : Number(total);
}

/** A strong one, by which the server can be asked to go on; empty where there is none. */
export function etagFile(part: string): string {
  return `${part}.etag`;
}

/** Null where nothing was begun, or nothing that the server could be asked to go on with. */
async function startedPart(part: string): Promise<{ bytes: number; etag: string } | null> {
  const found = await stat(part).catch(() => null);
  const etag = await readFile(etagFile(part), 'utf8').catch(() => '');
  return found && found.size > 0 && etag !== '' ? { bytes: found.size, etag } : null;
}

/** What `fetch` unpacks by itself. Others are a note that S3's uploads left (aws-chunked), or a file's own packing. */
const unpacked = /\b(x-)?(gzip|deflate|br|zstd|compress)\b/i;

/** What may be better the next time is thrown as an Error, what will not as SourceNotFound. */
async function requireAnswer(address: Address, response: Response, part: string): Promise<void> {
  const { ok, status, statusText, headers } = response;
  const packing = headers.get('content-encoding') ?? '';
  if (ok && !unpacked.test(packing)) return;
  // It may unpack to any size, and the parts of it that a range names are parts of what is packed.
  if (ok) throw notFetched(address, `it comes packed (content-encoding ${packing}); expected it as it is`);
  if (status === 304 || status === 412 || status === 416) {
    // What was begun is of another file, or nobody asked whether it changed: the next try starts anew.
    await writeFile(etagFile(part), '');
    throw new Error(`its server says ${status} ${statusText}`.trim());
  }
  throw refused(address, await address.server.refusal(response));
}

function refused(address: Address, { reason, mayPass }: Refusal): Error {
  return mayPass ? new Error(reason) : notFetched(address, reason);
}

interface Append {
  readonly response: Response;
  readonly part: string;
  readonly from: number;
  readonly limits: DownloadLimits;
  /** Called when so much came that it counts as progress. */
  readonly heard: () => void;
}

/** Bytes in the file afterwards; it is synced. */
async function append({ response, part, from, limits, heard }: Append): Promise<number> {
  const handle = await open(part, from > 0 ? 'a' : 'w');
  let at = from;
  let unheard = 0;
  try {
    for await (const chunk of response.body ?? []) {
      unheard += (chunk as Uint8Array).length;
      if (unheard >= limits.progressBytes) {
        unheard = 0;
        heard();
      }
      await handle.appendFile(chunk as Uint8Array);
      at += (chunk as Uint8Array).length;
      if (at > limits.bytesMax) break;
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  return at;
}

const diskErrors = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EIO']);

function isOfDisk(thrown: unknown): boolean {
  return diskErrors.has((thrown as NodeJS.ErrnoException).code ?? '');
}

function notFetched({ shown }: Address, reason: string, cause?: unknown): ThawError {
  return new ThawError('SourceNotFound', `spec.model.source: ${shown} cannot be fetched: ${reason}`, { cause });
}
