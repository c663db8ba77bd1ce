// Where kept stages lie: CACHE/stages/results/KEY.json, one file a stage, and CACHE/stages/states, their states by
// digest, shared by those that have the same. Lists them and removes the oldest. A stage counts from when it was last
// used, which is its file's time. Any number of processes may work here at once: files come whole and go whole, whoever
// finds one missing does without, and a running job has copies of its own.

import { readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
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
  return path.join(results, `${key.replace(':', '-')}.json`);
}

export interface KeptStage {
  readonly key: string;
  readonly read: ReadStage;
  /** Milliseconds since 1970. */
  readonly usedAt: number;
  /** Of the file alone. */
  readonly fileBytes: number;
  /** Names in `states`; empty for one that cannot be read. */
  readonly states: readonly string[];
}

const namedByDigest = /^sha256-([0-9a-f]{64})(\.json)?$/;

/** Newest first. */
export async function listStages(folder: StageFolder): Promise<KeptStage[]> {
  const kept: KeptStage[] = [];
  for (const name of await readdir(folder.results).catch(() => [])) {
    const hex = namedByDigest.exec(name)?.[1];
    if (!hex) continue;
    const key = `sha256:${hex}`;
    const file = path.join(folder.results, name);
    const found = await Promise.all([readFile(file, 'utf8'), stat(file)]).catch(() => null);
    if (!found) continue;
    const [text, { mtimeMs, size }] = found;
    const read = decodeStageFile(text, key);
    kept.push({ key, read, usedAt: mtimeMs, fileBytes: size, states: statesOf(read) });
  }
  return kept.sort((a, b) => b.usedAt - a.usedAt || (a.key < b.key ? -1 : 1));
}

function statesOf(read: ReadStage): string[] {
  if (read.kind !== 'read') return [];
  const { held, record } = read.file.result;
  return [...new Set([held.digest, record.best?.stored?.digest ?? held.digest])].map((one) => one.replace(':', '-'));
}

export interface Limits {
  /** Stages used longest ago go until all of it fits. */
  readonly bytesMax: number;
  /** Stages unused for longer go. */
  readonly millisecondsMax: number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export interface Pruning {
  readonly removed: readonly KeptStage[];
  readonly kept: readonly KeptStage[];
  /** Of what is removed, states and leftovers included. */
  readonly bytes: number;
  /** Whole paths. */
  readonly files: readonly string[];
}

/** Leftovers of a process that died, and states that nothing names, may be another process's work for this long. */
const unnamedMilliseconds = 3_600_000;

/** What would go, decided in one look; nothing is touched. */
export async function planPruning(folder: StageFolder, limits: Limits): Promise<Pruning> {
  const sizes = await sizesOf(folder.states);
  const kept: KeptStage[] = [];
  const removed: KeptStage[] = [];
  const named = new Set<string>();
  let bytes = 0;
  let isFull = false;
  for (const stage of await listStages(folder)) {
    const own = stage.states.filter((state) => !named.has(state));
    const needed = own.reduce((sum, state) => sum + (sizes.get(state)?.bytes ?? 0), stage.fileBytes);
    isFull ||= bytes + needed > limits.bytesMax;
    const isOld = limits.now - stage.usedAt > limits.millisecondsMax;
    if (isFull || isOld || stage.read.kind === 'corrupt') {
      removed.push(stage);
      continue;
    }
    kept.push(stage);
    bytes += needed;
    for (const state of own) named.add(state);
  }
  const gone = new Set(removed.flatMap(({ states }) => states));
  const hasUnknown = kept.some(({ read }) => read.kind === 'unknown');
  const goes = (state: string, changedAt: number): boolean =>
    !named.has(state) && (gone.has(state) || (!hasUnknown && limits.now - changedAt > unnamedMilliseconds));
  const states = [...sizes].filter(([state, { changedAt }]) => goes(state, changedAt));
  return {
    removed,
    kept,
    bytes:
      removed.reduce((sum, { fileBytes }) => sum + fileBytes, 0) +
      states.reduce((sum, [, state]) => sum + state.bytes, 0),
    files: [
      ...removed.map(({ key }) => resultFile(folder, key)),
      ...states.map(([state]) => path.join(folder.states, state)),
    ],
  };
}

/** Removes what planPruning found, results before the states that they name. */
export async function prune({ files }: Pruning): Promise<void> {
  for (const file of files) await rm(file, { force: true });
}

/** Of everything in the folder of states, leftovers of writers included, by name. */
async function sizesOf(states: string): Promise<Map<string, { readonly bytes: number; readonly changedAt: number }>> {
  const sizes = new Map<string, { bytes: number; changedAt: number }>();
  for (const name of await readdir(states).catch(() => [])) {
    const found = await stat(path.join(states, name)).catch(() => null);
    if (found) sizes.set(name, { bytes: found.size, changedAt: found.mtimeMs });
  }
  return sizes;
}

/** Bytes of states, each once. */
export async function stateBytes(folder: StageFolder, stages: readonly KeptStage[]): Promise<number> {
  const sizes = await sizesOf(folder.states);
  const names = new Set(stages.flatMap(({ states }) => states));
  return [...names].reduce((sum, name) => sum + (sizes.get(name)?.bytes ?? 0), 0);
}

/** Used now. */
export async function touch(file: string, now: number): Promise<void> {
  await utimes(file, now / 1000, now / 1000).catch(() => undefined);
}
