// Every text file that is committed or would be: for rules about words, not about syntax.

import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

export interface TextFile {
  readonly name: string;
  readonly text: string;
}

const skippedFolders = new Set(['node_modules', '.git', '.cache', 'dist', 'out', 'gen', 'results']);
const endings = /(\.(ts|mts|mjs|js|json|md|yaml|yml|sh|py|proto)|^thaw|\/run|\.npmrc|\.gitignore)$/;

export async function textFiles(root: string, folder = '.'): Promise<TextFile[]> {
  const files: TextFile[] = [];
  for (const entry of await readdir(path.join(root, folder), { withFileTypes: true })) {
    const name = path.posix.join(folder, entry.name);
    if (entry.isDirectory()) {
      if (!skippedFolders.has(entry.name)) files.push(...(await textFiles(root, name)));
    } else if (entry.isFile() && endings.test(name)) {
      files.push({ name, text: await readFile(path.join(root, name), 'utf8') });
    }
  }
  return files;
}

/** The rules' own words are put together here, so that this file does not break them. */
const unfinished = new RegExp(`\\b(${['TO', 'FIX'].map((start, i) => start + ['DO', 'ME'][i]).join('|')})\\b`);
const machinePaths = new RegExp(
  `(^|[\\s'"\`(=:])(/(${['wo' + 'rk', 'ro' + 'ot'].join('|')})\\b|${'sha' + 'red'}/)`,
  'm',
);

export function unfinishedWork(files: readonly TextFile[]): string[] {
  return linesWith(files, unfinished);
}

/** Paths of one machine have no place in a repository. */
export function pathsOfOneMachine(files: readonly TextFile[]): string[] {
  return linesWith(files, machinePaths);
}

function linesWith(files: readonly TextFile[], pattern: RegExp): string[] {
  return files.flatMap(({ name, text }) =>
    text.split('\n').flatMap((line, i) => (pattern.test(line) ? [`${name}:${i + 1}: ${line.trim()}`] : [])),
  );
}
