import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { DataManifest, SampleColumns } from '@thaw/common/data/manifest.ts';
import type { Preprocessing } from '@thaw/common/job/resolved-job.ts';
import sharp from 'sharp';
import { temporaryFolder, writeFiles } from '../../../test/support/fixtures/temporary-folder.ts';
import { type BadSample, createPixelSource, type PixelSource, type PixelSourceOptions } from './pixel-source.ts';

const none: SampleColumns = { ids: [], paths: [], labels: [], byteLengths: [] };
const blockSize = 8;
const imageBytes = 2 * 2 * 3;
const geometry: Preprocessing = {
  height: 2,
  width: 2,
  resize: 'squash',
  channelOrder: 'rgb',
  scale: 1,
  mean: [0, 0, 0],
  std: [1, 1, 1],
};

/** Pictures of one colour each: sample i is i * 20 everywhere; 'bad' is a text. */
async function aSource(
  context: TestContext,
  names: readonly string[],
  changes: Partial<PixelSourceOptions> = {},
): Promise<{ source: PixelSource; bad: BadSample[]; tellings: number[]; root: string }> {
  const root = await temporaryFolder(context);
  const byteLengths: number[] = [];
  for (const [i, name] of names.entries()) {
    const level = i * 20;
    const background = { r: level, g: level, b: level };
    const png = await sharp({ create: { width: 2, height: 2, channels: 3, background } })
      .png()
      .toBuffer();
    const bytes = name.startsWith('bad') ? Buffer.from('no picture') : png;
    byteLengths.push(bytes.length);
    await writeFiles(root, { [name]: bytes });
  }
  const columns = {
    ids: names.map((name) => `id of ${name}`),
    paths: names,
    labels: names.map(() => 0),
    byteLengths,
  };
  const manifest: DataManifest = {
    version: 1,
    classes: ['a'],
    sets: { train: columns, validation: columns, test: none },
    digest: 'd',
  };
  const bad: BadSample[] = [];
  const tellings: number[] = [];
  const source = createPixelSource({
    manifest,
    root,
    preprocessing: geometry,
    augment: [],
    seed: 1,
    blockSize,
    onBad(samples) {
      bad.push(...samples);
      tellings.push(samples.length);
    },
    ...changes,
  });
  return { source, bad, tellings, root };
}

const refsTo = (indices: readonly number[], set: 'train' | 'validation' = 'train', view = 0) =>
  indices.map((index) => ({ set, index, view }));
const levelsOf = (pixels: Uint8Array): number[] =>
  Array.from({ length: blockSize }, (_, row) => pixels[row * imageBytes] as number);

test('rows are in the order asked for, whichever is decoded first', async (context) => {
  const { source } = await aSource(context, ['0.png', '1.png', '2.png', '3.png', '4.png', '5.png']);
  const { pixels, present } = await source.loadBlock(refsTo([5, 1, 3, 0, 4, 2, 1]));
  assert.deepEqual(levelsOf(pixels), [100, 20, 60, 0, 80, 40, 20, 0]);
  assert.equal(pixels.length, blockSize * imageBytes);
  assert.deepEqual(present, Array(7).fill(true));
});

test('a bad sample keeps its row, black and absent, and is said once', async (context) => {
  const { source, bad } = await aSource(context, ['0.png', 'bad.png', '2.png']);
  for (const view of [0, 1]) {
    const { pixels, present } = await source.loadBlock(refsTo([2, 1, 0], 'train', view));
    assert.deepEqual(present, [true, false, true]);
    assert.deepEqual(levelsOf(pixels).slice(0, 3), [40, 0, 0]);
  }
  assert.deepEqual(
    bad.map(({ set, id }) => [set, id]),
    [['train', 'id of bad.png']],
  );
  assert.match(bad[0]?.reason ?? '', /unsupported image format/);
  await source.loadBlock(refsTo([1], 'validation'));
  assert.deepEqual(
    bad.map(({ set }) => set),
    ['train', 'validation'],
  );
});

test('the bad samples of a block are told together, in the order of its rows, each once', async (context) => {
  const { source, bad, tellings } = await aSource(context, ['bad0.png', '1.png', 'bad2.png', 'bad3.png']);
  await source.loadBlock(refsTo([2, 1, 0, 2]));
  await source.loadBlock(refsTo([1, 2]));
  await source.loadBlock(refsTo([0, 3, 2]));
  assert.deepEqual(
    bad.map(({ id }) => id),
    ['id of bad2.png', 'id of bad0.png', 'id of bad3.png'],
  );
  assert.deepEqual(tellings, [2, 1]);
});

test('a file of another length than listed has changed during the run', async (context) => {
  const { source, bad, root } = await aSource(context, ['0.png', '1.png']);
  await writeFiles(root, { '1.png': 'no picture any more' });
  await assert.rejects(source.loadBlock(refsTo([0, 1])), {
    code: 'DataInvalid',
    message: /1\.png: found 19 bytes; expected the \d+ that it had when the job began: the data changed/,
  });
  assert.deepEqual(bad, []);
});

test('a decoder that fails for another reason than the bytes is tried again, then named with the file', async (context) => {
  const { source, bad } = await aSource(context, ['0.png'], { preprocessing: { ...geometry, height: 2.5 } });
  await assert.rejects(source.loadBlock(refsTo([0])), {
    code: 'Internal',
    message:
      /0\.png cannot be decoded here, whatever it holds \(3 attempts\): Expected positive integer between .* for height/,
  });
  assert.deepEqual(bad, []);
});

test('a file that cannot be read is this trainer’s fault, and no bad sample', async (context) => {
  const { source, bad, root } = await aSource(context, ['0.png', '1.png']);
  await rm(path.join(root, '1.png'));
  await assert.rejects(source.loadBlock(refsTo([0, 1])), {
    code: 'SourceNotFound',
    message: /1\.png cannot be read \(3 attempts\): ENOENT/,
  });
  assert.deepEqual(bad, []);
});

test('a file that comes back in time is read', async (context) => {
  const { source, root } = await aSource(context, ['0.png', '1.png']);
  const png = await readFile(path.join(root, '1.png'));
  await rm(path.join(root, '1.png'));
  const loading = source.loadBlock(refsTo([1]));
  await writeFiles(root, { '1.png': png });
  assert.equal(levelsOf((await loading).pixels)[0], 20);
});

test('only the training set is augmented', async (context) => {
  const augment = [{ kind: 'brightness', amount: 0.5 }] as const;
  const { source } = await aSource(context, ['0.png', '1.png', '2.png'], { augment });
  const plain = (await source.loadBlock(refsTo([1, 2], 'validation'))).pixels;
  assert.deepEqual(levelsOf(plain).slice(0, 2), [20, 40]);
  const [first, second] = [0, 1].map((view) => source.loadBlock(refsTo([2], 'train', view)));
  const levels = [await first, await second].map((block) => levelsOf(block?.pixels ?? new Uint8Array())[0]);
  assert.ok(levels[0] !== levels[1] && levels[0] !== 40, `${levels}`);
});
