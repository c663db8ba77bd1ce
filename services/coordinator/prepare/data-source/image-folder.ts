// Reads a folder of classes: ROOT/CLASS/…/FILE. Other files than images, and hidden ones, are passed over; links are
// followed. A folder without classes, or a class without images, is refused with what was found.

import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { compareNames } from '@thaw/common/model/tensor-layout.ts';
import type { ListedSample } from './sample-list.ts';

export const imageExtensions = new Set(['.jpg', '.jpeg', '.png', '.webp', '.gif', '.bmp', '.tif', '.tiff', '.avif']);

/** `field` names the job's field in errors. Throws SourceNotFound or DataInvalid. */
export async function listImageFolder(root: string, field: string): Promise<ListedSample[]> {
  const entries = await entriesOf(root, field);
  const classes = entries.filter(({ isFolder }) => isFolder).map(({ name }) => name);
  const samples: ListedSample[] = [];
  const empty: string[] = [];
  for (const label of classes) {
    const files = await imagesUnder(path.join(root, label), { field, above: [await realpath(root)] });
    if (files.length === 0) empty.push(label);
    for (const file of files) samples.push({ id: `${label}/${file}`, file: path.join(root, label, file), label });
  }
  if (samples.length > 0 && empty.length === 0) return samples;
  const found =
    empty.length > 0
      ? `the folders ${empty.slice(0, 5).join(', ')} without an image`
      : `${entries.length} entries and no folder`;
  throw new ThawError(
    'DataInvalid',
    `${field}: ${root}: found ${found}; expected one folder per class with ${[...imageExtensions].join(' ')} files`,
  );
}

interface Place {
  readonly field: string;
  /** Real paths of the folders that lead here, to notice a link that leads back. */
  readonly above: readonly string[];
}

/** Paths below the folder, with '/' on every machine, in byte order. */
async function imagesUnder(folder: string, { field, above }: Place): Promise<string[]> {
  const real = await realpath(folder);
  if (above.includes(real)) throw new ThawError('DataInvalid', `${field}: the link ${folder} leads back to ${real}`);
  const files: string[] = [];
  for (const { name, isFolder } of await entriesOf(folder, field)) {
    if (isFolder) {
      const inner = await imagesUnder(path.join(folder, name), { field, above: [...above, real] });
      for (const file of inner) files.push(`${name}/${file}`);
    } else if (imageExtensions.has(path.extname(name).toLowerCase())) files.push(name);
  }
  return files;
}

interface Entry {
  readonly name: string;
  readonly isFolder: boolean;
}

/** Without hidden ones, in byte order of the names. */
async function entriesOf(folder: string, field: string): Promise<Entry[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: NodeJS.ErrnoException) => {
    throw new ThawError(
      'SourceNotFound',
      `${field}: the folder ${folder} cannot be read (${cause.code}); expected one folder per class`,
      { cause },
    );
  });
  const shown = entries.filter(({ name }) => !name.startsWith('.')).sort((a, b) => compareNames(a.name, b.name));
  const listed: Entry[] = [];
  for (const entry of shown) listed.push({ name: entry.name, isFolder: await isFolder(entry, { folder, field }) });
  return listed;
}

async function isFolder(entry: Dirent, { folder, field }: { folder: string; field: string }): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  const link = path.join(folder, entry.name);
  const target = await stat(link).catch((cause: NodeJS.ErrnoException) => {
    throw new ThawError('SourceNotFound', `${field}: the link ${link} leads nowhere (${cause.code})`, { cause });
  });
  return target.isDirectory();
}
