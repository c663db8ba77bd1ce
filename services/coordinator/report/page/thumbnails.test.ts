import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, it } from 'node:test';
import sharp from 'sharp';
import { makeThumbnails } from './thumbnails.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'thaw-thumbnails-'));
});
after(() => rm(folder, { recursive: true, force: true }));

/** Noise is the worst that a JPEG can be asked to hold. */
async function write(name: string, width: number, height: number): Promise<void> {
  const noise = sharp(randomBytes(width * height * 3), { raw: { width, height, channels: 3 } });
  await writeFile(path.join(folder, name), await noise.png().toBuffer());
}

it('makes small JPEGs of bounded size, and never enlarges', async () => {
  await write('large.png', 900, 300);
  await write('small.png', 28, 20);
  const thumbnails = await makeThumbnails(['large.png', path.join(folder, 'small.png')], folder);
  const sizes = thumbnails.map((one) => (one.kind === 'picture' ? [one.width, one.height] : one));
  assert.deepEqual(sizes, [
    [192, 64],
    [28, 20],
  ]);
  for (const one of thumbnails) {
    assert.ok(one.kind === 'picture' && one.jpeg.length <= 24 * 1024);
    assert.equal((await sharp(one.jpeg).metadata()).format, 'jpeg');
  }
});

it('takes a lower quality for a picture that is hard to hold', async () => {
  await write('noise.png', 400, 400);
  const [noise] = await makeThumbnails(['noise.png'], folder);
  assert.ok(noise?.kind === 'picture' && noise.jpeg.length <= 24 * 1024, JSON.stringify(noise));
});

it('says why there is no picture, and goes on', async () => {
  await writeFile(path.join(folder, 'text.png'), 'no picture');
  await write('good.png', 10, 10);
  const kinds = await makeThumbnails(['gone.png', 'text.png', '.', 'good.png'], folder);
  const reasons = kinds.map((one) => (one.kind === 'none' ? one.reason : 'a picture'));
  assert.equal(reasons[0], 'its file is no longer there');
  assert.match(reasons[1] ?? '', /unsupported image format/);
  assert.match(reasons[2] ?? '', /EISDIR/);
  assert.equal(reasons[3], 'a picture');
});
