// Where kept stages lie: CACHE/stages/results/KEY.json, one file a stage, and CACHE/stages/states, their states by
// digest, shared by those that have the same. Lists and removes them. A stage counts from when it was last used, which is
// its file's time. Any number of processes may work here at once: files come whole and go whole, whoever finds one
// missing does without, and a running job has copies of its own.

import { readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import { fileNameOf } from '@thaw/common/content/digest.ts';
import { statesOf } from '../../core/kept-stage.ts';
import type { Used } from './limits.ts';
import { decodeStageFile, type ReadStage } from './stage-file.ts';

export interface StageFolder {
  readonly results: string;
  readonly states: string;
}

export function stageFolder(cacheDirectory: string): StageFolder {
  const folder = path.join(cacheDirectory, 'stages');
  return { results: path.join(folder, 'results'), states: path.join(folder, 'states') };
}

export function resultFile({ results }: StageFolder, key: string): string {
  return path.join(results, `${fileNameOf(key)}.json`);
}

export interface KeptStage extends Used {
  readonly key: string;
  readonly read: ReadStage;
  /** Of its file, and of the states that no stage used later than this one has too. */
  readonly bytes: number;
  /** Names in `states`; empty for one that cannot be read. */
  readonly states: readonly string[];
}

const namedByDigest = /^sha256-([0-9a-f]{64})\.json$/;

/** The one used last comes first. */
export async function listStages(folder: StageFolder): Promise<KeptStage[]> {
  const found: KeptStage[] = [];
  for (const name of await readdir(folder.results).catch(() => [])) {
    const hex = namedByDigest.exec(name)?.[1];
    const stage = hex === undefined ? null : await readStage(path.join(folder.results, name), `sha256:${hex}`);
    if (stage) found.push(stage);
  }
  const sizes = await filesOf(folder.states);
  const counted = new Set<string>();
  found.sort((a, b) => b.usedAt - a.usedAt || (a.key < b.key ? -1 : 1));
  return found.map((stage) => {
    const own = stage.states.filter((state) => !counted.has(state));
    for (const state of own) counted.add(state);
    return { ...stage, bytes: own.reduce((sum, state) => sum + (sizes.get(state)?.bytes ?? 0), stage.bytes) };
  });
}

/** Null for one that goes at this moment. */
async function readStage(file: string, key: string): Promise<KeptStage | null> {
  const found = await Promise.all([readFile(file, 'utf8'), stat(file)]).catch(() => null);
  if (!found) return null;
  const [text, { mtimeMs: usedAt, size: bytes }] = found;
  const read = decodeStageFile(text, key);
  const states = read.kind === 'read' ? statesOf(read.file.result).map(fileNameOf) : [];
  return { key, read, usedAt, bytes, states };
}

/** Leftovers of a process that died, and states that nothing names, may be another process's work for this long. */
const unnamedMilliseconds = 3_600_000;

/** Files of these stages, of the states that only they have, and of what dead processes left; results come first. */
export async function filesToRemove(
  folder: StageFolder,
  {
    all,
    going,
    now,
  }: { readonly all: readonly KeptStage[]; readonly going: readonly KeptStage[]; readonly now: number },
): Promise<string[]> {
  const staying = all.filter((stage) => !going.includes(stage));
  const named = new Set(staying.flatMap(({ states }) => states));
  const gone = new Set(going.flatMap(({ states }) => states));
  // What another Thaw keeps names states too, and this one cannot read which.
  const hasUnknown = staying.some(({ read }) => read.kind === 'unknown');
  const goes = (state: string, changedAt: number): boolean =>
    !named.has(state) && (gone.has(state) || (!hasUnknown && now - changedAt > unnamedMilliseconds));
  const states = [...(await filesOf(folder.states))].filter(([state, { changedAt }]) => goes(state, changedAt));
  return [
    ...going.map(({ key }) => resultFile(folder, key)),
    ...states.map(([state]) => path.join(folder.states, state)),
  ];
}

export async function removeFiles(files: readonly string[]): Promise<void> {
  for (const file of files) await rm(file, { force: true });
}

async function filesOf(directory: string) {
  const files = new Map<string, { readonly bytes: number; readonly changedAt: number }>();
  for (const name of await readdir(directory).catch(() => [])) {
    const found = await stat(path.join(directory, name)).catch(() => null);
    if (found) files.set(name, { bytes: found.size, changedAt: found.mtimeMs });
  }
  return files;
}

/** Used now. */
export async function touch(file: string, now: number): Promise<void> {
  await utimes(file, now / 1000, now / 1000).catch(() => undefined);
}
