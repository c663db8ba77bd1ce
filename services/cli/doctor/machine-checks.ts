// What this machine gives: memory and processors within the control group's limits, and room in the folders that Thaw
// writes into.

import { constants } from 'node:fs';
import { access, readFile, statfs } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { bytesText } from '@thaw/common/text/number-text.ts';
import type { Check } from './check.ts';

/** Below this a trainer of a middling model may not fit. */
const memoryBytesLow = 2e9;
/** A built engine, packages and examples; building takes the most. */
const cacheBytesLow = 2e9;
const outputBytesLow = 1e9;

export function checkMemory(): Check {
  const limit = process.constrainedMemory();
  const isLimited = limit > 0 && limit < os.totalmem();
  const usable = isLimited ? limit : os.totalmem();
  const of = isLimited ? `limit of the control group (the machine has ${bytesText(os.totalmem())})` : 'no limit';
  const found = `${bytesText(usable)}, ${bytesText(Math.min(usable, os.freemem()))} free, ${of}`;
  if (usable >= memoryBytesLow) return { part: 'memory', state: 'ok', found };
  return { part: 'memory', state: 'note', found, advice: 'use small models and one trainer, or raise the limit' };
}

export async function checkProcessors(): Promise<Check> {
  const [cores, limit] = [os.availableParallelism(), await processorLimit(readText)];
  const model = os.cpus()[0]?.model.trim() ?? 'unknown';
  const found = `${cores} usable, ${limit === null ? 'no limit' : `limited to ${limit} by the control group`} (${model})`;
  return { part: 'processors', state: 'ok', found };
}

/** Processors that the control group allows (version 2, else 1); null without a limit. */
export async function processorLimit(read: (file: string) => Promise<string | null>): Promise<number | null> {
  const own = /^0::(\/.*)$/m.exec((await read('/proc/self/cgroup')) ?? '')?.[1] ?? '/';
  for (const folder of new Set([path.join('/sys/fs/cgroup', own), '/sys/fs/cgroup'])) {
    const text = await read(path.join(folder, 'cpu.max'));
    if (text !== null) return quotient(...(text.trim().split(' ') as [string, string]));
  }
  const [quota, period] = [await read(`${version1}/cpu.cfs_quota_us`), await read(`${version1}/cpu.cfs_period_us`)];
  return quota === null || period === null ? null : quotient(quota.trim(), period.trim());
}

const version1 = '/sys/fs/cgroup/cpu';

/** `max` and -1 stand for no limit. */
function quotient(quota: string, period: string): number | null {
  const limit = Number(quota) / Number(period);
  return Number.isFinite(limit) && limit > 0 ? limit : null;
}

async function readText(file: string): Promise<string | null> {
  return readFile(file, 'utf8').catch(() => null);
}

export async function checkCacheFolder(directory: string): Promise<Check> {
  const part = 'cache folder';
  const existing = await nearestExisting(directory);
  const found = `${directory}${existing === directory ? '' : ' (not there yet)'}`;
  const isWritable = await access(existing, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!isWritable) {
    const advice = 'set THAW_CACHE to a folder that may be written';
    return { part, state: 'missing', found: `${found}: may not be written`, advice };
  }
  return room({ part, found, low: cacheBytesLow, directory: existing });
}

export async function checkWorkingFolder(directory: string): Promise<Check> {
  return room({ part: 'working folder', found: directory, low: outputBytesLow, directory });
}

interface Room {
  readonly part: string;
  readonly found: string;
  readonly low: number;
  readonly directory: string;
}

async function room({ part, found, low, directory }: Room): Promise<Check> {
  const { bavail, bsize } = await statfs(directory);
  const free = bavail * bsize;
  const described = `${found}, ${bytesText(free)} free`;
  if (free >= low) return { part, state: 'ok', found: described };
  return { part, state: 'note', found: described, advice: `free some space: ${bytesText(low)} are enough` };
}

async function nearestExisting(directory: string): Promise<string> {
  for (let folder = directory; ; folder = path.dirname(folder)) {
    const isThere = await access(folder).then(
      () => true,
      () => false,
    );
    if (isThere || folder === path.dirname(folder)) return folder;
  }
}
