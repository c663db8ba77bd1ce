// The folder of the feature cache: one folder a level, its packs, and level.json, whose modification time says when the
// level was last used. docs/cache.md is its description for people and for programs that list or prune it.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Level } from './level.ts';

/** Under the cache directory. Another layout gets another number, so that old and new never meet. */
export const featureFolder = path.join('features', 'v1');
export const packEnding = '.pack';
const levelFile = 'level.json';

export interface StoredLevel {
  /** Hex sha256, the folder's name. */
  readonly key: string;
  readonly directory: string;
  /** The boundary's layers, or `pixels`; empty where level.json cannot be read. */
  readonly name: string;
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly usedAt: number;
}

export function levelDirectory(root: string, { key }: Level): string {
  return path.join(root, key);
}

export function packsOf(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => name.endsWith(packEnding))
    .map((name) => path.join(directory, name));
}

/** Makes the level's folder where it is missing, and notes its use. */
export function markUsed(root: string, level: Level, now: Date): void {
  const directory = levelDirectory(root, level);
  const file = path.join(directory, levelFile);
  mkdirSync(directory, { recursive: true });
  if (!existsSync(file)) {
    writeFileSync(file, `${JSON.stringify({ version: 1, name: level.name, rowBytes: level.rowBytes })}\n`);
  }
  utimesSync(file, now, now);
}

/** Every level under the folder, the longest unused first. What vanishes meanwhile is left out. */
export function storedLevels(root: string): StoredLevel[] {
  if (!existsSync(root)) return [];
  const levels = readdirSync(root).map((key): StoredLevel => {
    const directory = path.join(root, key);
    const about = statSync(path.join(directory, levelFile), { throwIfNoEntry: false });
    const bytes = packsOf(directory).reduce(
      (sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0),
      0,
    );
    return { key, directory, name: nameIn(directory), bytes: bytes + (about?.size ?? 0), usedAt: about?.mtimeMs ?? 0 };
  });
  return levels.sort((a, b) => a.usedAt - b.usedAt || (a.key < b.key ? -1 : 1));
}

export function removeLevel({ directory }: StoredLevel): void {
  rmSync(directory, { recursive: true, force: true });
}

function nameIn(directory: string): string {
  try {
    const { name } = JSON.parse(readFileSync(path.join(directory, levelFile), 'utf8')) as { name?: unknown };
    return typeof name === 'string' ? name : '';
  } catch {
    return '';
  }
}
