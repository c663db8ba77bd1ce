// Compares what a generator makes with what is committed. Reads only.

import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

export interface GeneratedFiles {
  /** Text by path from the root of the repository, with forward slashes. */
  readonly texts: ReadonlyMap<string, string>;
  /** Folders in which nothing but generated files may lie. */
  readonly folders: readonly string[];
}

export interface StaleFile {
  readonly name: string;
  readonly why: 'is missing' | 'differs from what is generated' | 'is not generated any more';
}

export async function staleFiles(root: string, { texts, folders }: GeneratedFiles): Promise<StaleFile[]> {
  const stale: StaleFile[] = [];
  for (const [name, text] of texts) {
    const found = await readFile(path.join(root, name), 'utf8').catch(() => null);
    if (found === null) stale.push({ name, why: 'is missing' });
    else if (found !== text) stale.push({ name, why: 'differs from what is generated' });
  }
  for (const folder of folders) {
    for (const name of await filesIn(root, folder)) {
      if (!texts.has(name)) stale.push({ name, why: 'is not generated any more' });
    }
  }
  return stale;
}

/** Paths from `root` of all files in a folder; none when there is no such folder. */
export async function filesIn(root: string, folder: string): Promise<string[]> {
  const entries = await readdir(path.join(root, folder), { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, '/'))
    .sort();
}
