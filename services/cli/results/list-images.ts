// The files that `thaw predict` was given: images as they are named, folders with every image in them, in the order of
// the arguments. What is not there is listed beside them, never dropped.

import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { compareNames } from '@thaw/common/model/tensor-layout.ts';
import { imageExtensions } from '@thaw/coordinator/prepare/data-source/image-folder.ts';

export interface NamedFile {
  /** As the user would write it. */
  readonly name: string;
  /** Absolute. */
  readonly file: string;
}

export interface UnreadableName {
  readonly name: string;
  /** Goes on after the name: "does not exist". */
  readonly reason: string;
}

export interface ListedImages {
  readonly files: readonly NamedFile[];
  readonly unreadable: readonly UnreadableName[];
}

export async function listImages(names: readonly string[], cwd: string): Promise<ListedImages> {
  const files: NamedFile[] = [];
  const unreadable: UnreadableName[] = [];
  for (const name of names) {
    const found = await imagesAt(name, path.resolve(cwd, name));
    if (typeof found === 'string') unreadable.push({ name, reason: found });
    else files.push(...found);
  }
  return { files, unreadable };
}

/** Why there is none, in words, or the images. */
async function imagesAt(name: string, file: string): Promise<NamedFile[] | string> {
  try {
    const found = await stat(file);
    if (found.isFile()) return [{ name, file }];
    if (!found.isDirectory()) return 'is neither a file nor a folder';
    const entries = await readdir(file, { recursive: true });
    const images = entries.filter(isShownImage).sort(compareNames);
    if (images.length === 0) return `holds no image (${[...imageExtensions].join(' ')})`;
    return images.map((entry) => ({ name: path.join(name, entry), file: path.join(file, entry) }));
  } catch (thrown) {
    const { code, message } = thrown as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'does not exist' : `cannot be read: ${message}`;
  }
}

/** As in training: hidden files and folders are passed over. */
function isShownImage(entry: string): boolean {
  const isHidden = entry.split(path.sep).some((part) => part.startsWith('.'));
  return !isHidden && imageExtensions.has(path.extname(entry).toLowerCase());
}
