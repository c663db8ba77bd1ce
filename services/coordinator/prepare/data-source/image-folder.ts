// Reads a folder of classes: ROOT/CLASS/…/FILE. Other files than images are passed over; a folder without classes or
// images is refused with what was found.

import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { compareNames } from '@thaw/common/model/tensor-layout.ts';
import type { ListedSample } from './sample-list.ts';

const imageExtensions = new Set(['.jpg', '.jpeg', '.png', '.webp', '.gif', '.bmp', '.tif', '.tiff', '.avif']);

/** `field` names the job's field in errors. Throws SourceNotFound or DataInvalid. */
export async function listImageFolder(root: string, field: string): Promise<ListedSample[]> {
  const entries = await readdir(root, { withFileTypes: true }).catch((cause: unknown) => {
    throw new ThawError(
      'SourceNotFound',
      `${field}: the folder ${root} cannot be read; expected one folder per class`,
      { cause },
    );
  });
  const classes = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name);
  const samples: ListedSample[] = [];
  for (const label of classes.sort(compareNames)) {
    const files = await readdir(path.join(root, label), { recursive: true });
    for (const file of files.sort(compareNames)) {
      if (!imageExtensions.has(path.extname(file).toLowerCase())) continue;
      samples.push({ id: `${label}/${file.replaceAll(path.sep, '/')}`, file: path.join(root, label, file), label });
    }
  }
  if (samples.length > 0) return samples;
  const found =
    classes.length > 0
      ? `the folders ${classes.slice(0, 5).join(', ')} without an image`
      : `${entries.length} entries and no folder`;
  throw new ThawError(
    'DataInvalid',
    `${field}: ${root} holds no sample: found ${found}; expected one folder per class with ${[...imageExtensions].join(' ')} files`,
  );
}
