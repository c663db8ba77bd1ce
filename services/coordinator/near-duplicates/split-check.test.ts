import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, it } from 'node:test';
import { type DataManifest, dataManifestVersion, type SplitName, splitNames } from '@thaw/common/data/manifest.ts';
import { keyedStream } from '@thaw/common/random/stream.ts';
import sharp from 'sharp';
import { checkSplits } from './split-check.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'thaw-alike-'));
});
after(() => rm(folder, { recursive: true, force: true }));

/** Twelve soft spots of colour on grey; another picture for another name. */
function picture(name: string) {
  const stream = keyedStream(1, 'initialise', 'picture', name);
  const spots = Array.from({ length: 12 }, () => {
    const [x, y, r] = [stream.uniform() * 160, stream.uniform() * 120, 10 + stream.uniform() * 25];
    const colour = [0, 0, 0].map(() => Math.floor(stream.uniform() * 256)).join(',');
    return `<circle cx="${x}" cy="${y}" r="${r}" fill="rgb(${colour})"/>`;
  });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="160" height="120"><rect width="160" height="120" fill="#888"/>${spots.join('')}</svg>`;
  return sharp(Buffer.from(svg)).flatten();
}

async function written(name: string, image: ReturnType<typeof picture>): Promise<string> {
  const file = path.join(folder, name);
  await writeFile(file, await image.toBuffer());
  return name;
}

function manifestOf(files: Readonly<Record<SplitName, readonly string[]>>, bytesEach = 1): DataManifest {
  const columns = splitNames.map((set) => {
    const paths = files[set];
    return [set, { ids: paths, paths, labels: paths.map(() => 0), byteLengths: paths.map(() => bytesEach) }] as const;
  });
  return { version: dataManifestVersion, classes: [], sets: Object.fromEntries(columns) as never, digest: '' };
}

/** Something that the other picture lacks. */
const spot = Buffer.from('<svg width="40" height="40"><circle cx="20" cy="20" r="14" fill="#fd0"/></svg>');

const going = new AbortController().signal;

it('finds copies at another size, quality and brightness, and no other picture', async () => {
  const train = ['a', 'b', 'c', 'd', 'e', 'f'];
  const files = {
    train: await Promise.all(train.map((name) => written(`${name}.png`, picture(name).png()))),
    validation: [
      await written('a-small.png', picture('a').resize(60, 45).png()),
      await written('x.png', picture('x').png()),
      await written('flat.png', sharp({ create: { width: 40, height: 30, channels: 3, background: '#c63' } }).png()),
    ],
    test: [
      await written('b-poor.jpg', picture('b').jpeg({ quality: 20 })),
      await written('c-bright.png', picture('c').linear(0.8, 30).png()),
      await written('x-again.webp', picture('x').webp({ quality: 40 })),
      await written('c-mirrored.png', picture('c').flop().png()),
      await written('y.png', picture('y').png()),
      await written(
        'd-with-more.png',
        picture('d')
          .composite([{ input: spot, left: 60, top: 40 }])
          .png(),
      ),
    ],
  };
  await writeFile(path.join(folder, 'torn.png'), 'no picture');
  const manifest = manifestOf({ ...files, test: [...files.test, 'torn.png', 'gone.png'] });
  const { compared, found, listed } = await checkSplits({ manifest, dataRoot: folder, signal: going });
  assert.deepEqual(compared, { train: 6, validation: 2, test: 6 });
  assert.deepEqual(found, { validation: 1, test: 3 });
  assert.deepEqual(Object.fromEntries(listed.map(({ id, other }) => [id, `${other.set} ${other.id}`])), {
    'a-small.png': 'train a.png',
    'b-poor.jpg': 'train b.png',
    'c-bright.png': 'train c.png',
    'x-again.webp': 'validation x.png',
  });
  const likenesses = listed.map(({ likeness }) => likeness);
  assert.deepEqual(likenesses, [...likenesses].sort().reverse());
});

it('looks at a bounded number of pictures, fewer large ones, evenly over each set, and stops when it is told to', async () => {
  const names = await Promise.all(
    Array.from({ length: 9 }, (_, i) => written(`many-${i}.png`, picture(`many ${i}`).png())),
  );
  const manifest = manifestOf({ train: names, validation: names, test: [] });
  const limits = { train: 3, validation: 3, test: 3 };
  const check = await checkSplits({ manifest, dataRoot: folder, signal: going, limits });
  assert.deepEqual(check.compared, { train: 3, validation: 3, test: 0 });
  assert.deepEqual(
    check.listed.map(({ id, likeness }) => [id, likeness]),
    [['many-0.png', 1], ['many-3.png', 1], ['many-6.png', 1]], // biome-ignore format: pairs
  );
  const large = manifestOf({ train: names, validation: names, test: [] }, 2_000_000);
  const fewer = await checkSplits({ manifest: large, dataRoot: folder, signal: going, limits });
  assert.deepEqual(fewer.compared, { train: 1, validation: 1, test: 0 });
  const stopped = await checkSplits({ manifest, dataRoot: folder, signal: AbortSignal.abort() });
  assert.deepEqual(stopped.compared, { train: 0, validation: 0, test: 0 });
});
