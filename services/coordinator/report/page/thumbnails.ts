// Small JPEGs of test pictures, to stand inside the page. A picture that cannot be shown is told with its reason: by now
// the model is trained, and no picture is worth failing for.

import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { openPicture, pictureBytesMax } from '@thaw/common/data/open-picture.ts';

export type Thumbnail =
  | { readonly kind: 'picture'; readonly jpeg: Uint8Array; readonly width: number; readonly height: number }
  | { readonly kind: 'none'; readonly reason: string };

/** Longer side, in pixels: sharp at 1.5 pixels a point where the page shows it largest. */
const sideMax = 192;
const thumbnailBytesMax = 24 * 1024;
const qualities = [85, 60, 30] as const;

/** In the order of the files; relative ones start from `root`. Never throws for a picture. */
export async function makeThumbnails(files: readonly string[], root: string): Promise<Thumbnail[]> {
  const thumbnails: Thumbnail[] = [];
  for (const file of files) thumbnails.push(await makeThumbnail(path.resolve(root, file)));
  return thumbnails;
}

async function makeThumbnail(file: string): Promise<Thumbnail> {
  try {
    const { size } = await stat(file);
    if (size > pictureBytesMax) return none(`its file has ${size} bytes; at most ${pictureBytesMax} are opened`);
    const bytes = await readFile(file);
    for (const quality of qualities) {
      const { data, info } = await jpegOf(bytes, quality);
      if (data.length <= thumbnailBytesMax) {
        return { kind: 'picture', jpeg: data, width: info.width, height: info.height };
      }
    }
    return none(`more than ${thumbnailBytesMax} bytes at the lowest quality`);
  } catch (thrown) {
    const { code, message } = thrown as NodeJS.ErrnoException;
    return none(code === 'ENOENT' ? 'its file is no longer there' : (message.split('\n')[0] ?? 'unreadable'));
  }
}

/** Never larger than it is, and without what cameras write beside it. */
function jpegOf(bytes: Uint8Array, quality: number) {
  return openPicture(bytes)
    .resize(sideMax, sideMax, { fit: 'inside', withoutEnlargement: true })
    .jpeg({ quality, chromaSubsampling: '4:4:4' })
    .toBuffer({ resolveWithObject: true });
}

function none(reason: string): Thumbnail {
  return { kind: 'none', reason };
}
