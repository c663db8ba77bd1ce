// `example:emoji`: 640 pictures of emoji in eight of Unicode's categories, from the npm package emoji-datasource-google.
// Small drawings, but in colour and of things that ImageNet knows: animals, food, places, tools.

import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { invariant } from '@thaw/common/errors/thaw-error.ts';
import { withPackage } from '../example/fetch-package.ts';
import { madeOnce } from '../example/made-once.ts';
import { emojiPackage } from '../example/package-pins.ts';
import type { Fetching } from '../fetching.ts';

/** Folder names by Unicode's category. People are left out: hundreds of them differ by the tone of the skin alone. */
const folders: ReadonlyMap<string, string> = new Map([
  ['Activities', 'activities'],
  ['Animals & Nature', 'animals'],
  ['Flags', 'flags'],
  ['Food & Drink', 'food'],
  ['Objects', 'objects'],
  ['Smileys & Emotion', 'smileys'],
  ['Symbols', 'symbols'],
  ['Travel & Places', 'travel'],
]);
const picturesPerCategory = 80;

export interface Emoji {
  readonly category: string;
  /** File name of the picture. */
  readonly image: string;
  readonly sort_order: number;
  readonly has_img_google: boolean;
}

/** A folder of categories. Throws SourceNotFound where the package cannot be fetched. */
export function exampleEmoji(cacheDirectory: string, fetching?: Fetching): Promise<string> {
  const folder = path.join(cacheDirectory, 'examples', `emoji-${picturesPerCategory}-v1`);
  return madeOnce(folder, (work) =>
    withPackage(emojiPackage, { what: 'example:emoji', fetching }, (unpacked) =>
      writePictures(path.join(unpacked, 'package'), work),
    ),
  );
}

/** Pictures are transparent around the drawing; paper is white. */
async function writePictures(source: string, target: string): Promise<void> {
  const { default: sharp } = await import('sharp'); // native, so only when it is needed: `thaw doctor` starts without it
  const list = JSON.parse(await readFile(path.join(source, 'emoji.json'), 'utf8')) as Emoji[];
  for (const [category, folder] of folders) {
    await mkdir(path.join(target, folder));
    for (const { image } of chosenOf(list, category)) {
      const picture = sharp(path.join(source, 'img', 'google', '64', image)).flatten({ background: '#ffffff' });
      await picture.png().toFile(path.join(target, folder, image));
    }
  }
}

/** As many as a category gives, evenly from its order, so that kinds are mixed. */
export function chosenOf(list: readonly Emoji[], category: string): Emoji[] {
  const all = list.filter((emoji) => emoji.category === category && emoji.has_img_google);
  invariant(all.length >= picturesPerCategory, `${category} has ${all.length} pictures`);
  all.sort((a, b) => a.sort_order - b.sort_order);
  return Array.from({ length: picturesPerCategory }, (_, i) => {
    return all[Math.floor((i * all.length) / picturesPerCategory)] as Emoji;
  });
}
