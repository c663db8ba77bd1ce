// Photographs' stand-in for benchmarks: JPEG files in folders per set and class, made from the pictures of example:emoji at
// the size that photographs of a data set have. More than there are emoji get other colours.

import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { cacheDirectory } from '@thaw/common/environment/cache-directory.ts';
import { exampleEmoji } from '@thaw/coordinator/prepare/data-source/example-emoji.ts';
import sharp from 'sharp';

export interface Pictures {
  readonly folder: string;
  readonly classes: readonly string[];
}

const pictureSets = ['train', 'validation', 'test'] as const;

/** Usual for data sets of photographs. */
const side = { width: 500, height: 375 };
const quality = 90;
/** Of the training set, for validation and for test each. */
const heldOutPart = 1 / 4;

/** `images`: of the training set. */
export async function writePictures(folder: string, images: number): Promise<Pictures> {
  const source = await exampleEmoji(cacheDirectory(process.env));
  const classes = (await readdir(source)).sort();
  const wanted = { train: images, validation: heldOut(images), test: heldOut(images) };
  let at = 0;
  for (const set of pictureSets) {
    for (const name of classes) await mkdir(path.join(folder, set, name), { recursive: true });
    for (let i = 0; i < wanted[set]; i++, at++) {
      const name = classes[at % classes.length] as string;
      const files = (await readdir(path.join(source, name))).sort();
      const place = Math.floor(at / classes.length);
      // A stride that shares no factor with the number of files reaches all of them, and mixes kinds.
      const file = files[(place * 37) % files.length] as string;
      const hue = 40 * Math.floor(place / files.length);
      await sharp(path.join(source, name, file))
        .resize(side.width, side.height, { fit: 'contain', background: '#ffffff' })
        .modulate({ hue })
        .jpeg({ quality })
        .toFile(path.join(folder, set, name, `${String(at).padStart(5, '0')}.jpg`));
    }
  }
  return { folder, classes };
}

function heldOut(images: number): number {
  return Math.max(8, Math.round(images * heldOutPart));
}
