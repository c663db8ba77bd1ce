// What the cache folder holds, entry by entry: kept stages, features of frozen layers, blobs that trainers fetched, and
// what set-up and examples brought. Only what a job brings back by itself may be removed here; whoever uses it at that
// moment has a copy, or gets it again.

import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { beyondLimits, type Limits, type Used } from '@thaw/coordinator/adapters/kept-stages/limits.ts';
import {
  filesToRemove,
  type KeptStage,
  listStages,
  removeFiles,
  stageFolder,
} from '@thaw/coordinator/adapters/kept-stages/stage-folder.ts';
import { featureFolder, removeLevel, type StoredLevel, storedLevels } from '@thaw/trainer/cache/pack-folder.ts';

export interface CacheEntry extends Used {
  /** `stage`, `features`, `blob`, or the name of the folder that holds it. */
  readonly kind: string;
  readonly name: string;
  /** Not what set-up or an example brought, nor a blob on its way. */
  readonly isRemovable: boolean;
}

export interface CacheContents {
  readonly entries: readonly CacheEntry[];
  /** Takes these entries away; those that are gone already count as taken. */
  remove(going: readonly CacheEntry[]): Promise<void>;
}

/** A blob that is being written, or that was when its trainer died: the older ones can only be that. */
const partEnding = '.part';
const writtenMillisecondsMax = 3_600_000;

/** By kind, in each the one used last first. `now` as Date.now() says it. */
export async function readCache(cacheDirectory: string, now: number): Promise<CacheContents> {
  const folder = stageFolder(cacheDirectory);
  const kept = await listStages(folder);
  const stages = new Map(kept.map((stage) => [stageEntry(stage), stage]));
  const blobs = new Map(await blobEntries(path.join(cacheDirectory, 'blobs'), now));
  const levels = new Map(
    storedLevels(path.join(cacheDirectory, featureFolder)).map((level) => [levelEntry(level), level]),
  );
  const known = [stages, levels, blobs].flatMap((entries) => lastUsedFirst([...entries.keys()]));
  const entries = [...known, ...(await otherEntries(cacheDirectory))];
  return {
    entries,
    async remove(going) {
      const goingStages = going.flatMap((entry) => stages.get(entry) ?? []);
      await removeFiles(await filesToRemove(folder, { all: kept, going: goingStages, now }));
      for (const level of going.flatMap((entry) => levels.get(entry) ?? [])) removeLevel(level);
      await removeFiles(going.flatMap((entry) => blobs.get(entry) ?? []));
    },
  };
}

/** Set-up's parts and examples stay, however old and large they are. */
export function toRemove({ entries }: CacheContents, limits: Limits): CacheEntry[] {
  return beyondLimits(
    entries.filter(({ isRemovable }) => isRemovable),
    limits,
  );
}

function stageEntry({ read, key, bytes, usedAt }: KeptStage): CacheEntry {
  const named = read.kind === 'read' ? `${read.file.result.job.name}, stage ${read.file.result.stageName}` : key;
  const name = read.kind === 'read' ? named : `${key} (${read.reason})`;
  return { kind: 'stage', name, bytes, usedAt, isRemovable: true };
}

function levelEntry({ key, name, bytes, usedAt }: StoredLevel): CacheEntry {
  return { kind: 'features', name: `${name || 'unreadable'} (${key.slice(0, 12)})`, bytes, usedAt, isRemovable: true };
}

async function blobEntries(directory: string, now: number): Promise<(readonly [CacheEntry, string])[]> {
  const names = await readdir(directory).catch(() => []);
  const entries: (readonly [CacheEntry, string])[] = [];
  for (const name of names.sort()) {
    const file = path.join(directory, name);
    const found = await stat(file).catch(() => null);
    if (!found) continue;
    const isPart = name.endsWith(partEnding);
    const title = isPart ? `${name} (unfinished)` : name.replace('-', ':');
    const isRemovable = !isPart || now - found.mtimeMs > writtenMillisecondsMax;
    entries.push([{ kind: 'blob', name: title, bytes: found.size, usedAt: found.mtimeMs, isRemovable }, file]);
  }
  return entries;
}

const listedOtherwise: ReadonlySet<string> = new Set(['stages', 'features', 'blobs']);

async function otherEntries(cacheDirectory: string): Promise<CacheEntry[]> {
  const entries: CacheEntry[] = [];
  const counted = new Set<string>();
  const folders = await readdir(cacheDirectory, { withFileTypes: true }).catch(() => []);
  for (const { name: kind } of folders.filter((one) => !one.isFile() && !listedOtherwise.has(one.name))) {
    const own: CacheEntry[] = [];
    for (const name of (await readdir(path.join(cacheDirectory, kind)).catch(() => [])).sort()) {
      const { bytes, changedAt } = await sizeOf(path.join(cacheDirectory, kind, name), counted);
      own.push({ kind, name, bytes, usedAt: changedAt, isRemovable: false });
    }
    entries.push(...lastUsedFirst(own));
  }
  return entries;
}

function lastUsedFirst(entries: CacheEntry[]): CacheEntry[] {
  return entries.sort((one, other) => other.usedAt - one.usedAt);
}

/**
 * Of a file, or of a folder with everything below it; links are not followed. A file with two names, such as the weights of
 * a model from the web, takes its room once: `counted` holds what was counted already.
 */
async function sizeOf(place: string, counted: Set<string>): Promise<{ bytes: number; changedAt: number }> {
  const own = await stat(place).catch(() => null);
  if (!own) return { bytes: 0, changedAt: 0 };
  if (!own.isDirectory()) return { bytes: own.size, changedAt: own.mtimeMs };
  const inside = await readdir(place, { recursive: true, withFileTypes: true });
  let bytes = 0;
  for (const one of inside.filter((entry) => entry.isFile())) {
    const found = await stat(path.join(one.parentPath, one.name)).catch(() => null);
    if (!found || counted.has(`${found.dev}:${found.ino}`)) continue;
    if (found.nlink > 1) counted.add(`${found.dev}:${found.ino}`);
    bytes += found.size;
  }
  return { bytes, changedAt: own.mtimeMs };
}
