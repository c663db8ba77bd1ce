import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { writeTinyResult } from '../../../test/support/fixtures/tiny-result.ts';
import { type CapturedWorld, capturedWorld } from '../testing/captured-world.ts';
import { predictCommand } from './predict.ts';

let folder = '';

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'thaw-predict-'));
  await writeTinyResult(path.join(folder, 'job'), { images: { perClass: 40 } });
  await writeFile(path.join(folder, 'torn.png'), 'no picture');
  await mkdir(path.join(folder, 'empty'));
});
after(() => rm(folder, { recursive: true, force: true }));

/** Runs `thaw predict` on the plain engine in a folder that is none of the job's. */
async function predict(...args: string[]): Promise<CapturedWorld> {
  const world = capturedWorld({ cwd: folder, cacheDirectory: path.join(folder, 'cache') });
  await predictCommand(world)
    .exitOverride()
    .parseAsync([...args, '--engine', 'cpu'], { from: 'user' });
  return world;
}

interface Line {
  readonly file: string;
  readonly label: string;
  readonly probability: number;
  readonly probabilities: Readonly<Record<string, number>>;
}

function linesOf(world: CapturedWorld): Line[] {
  return world.written().trimEnd().split('\n').map((line) => JSON.parse(line) as Line); // biome-ignore format: one chain
}

it('predicts files and folders, more than one block of them, and writes a line each', async () => {
  const world = await predict('job/out', 'job/images/square/001.png', 'job/images', '--json');
  const lines = linesOf(world);
  assert.deepEqual([lines.length, world.status(), world.complaints()], [121, 0, '']);
  assert.equal(lines[0]?.file, 'job/images/square/001.png');
  assert.deepEqual(
    lines.find(({ file }, i) => i > 0 && file === 'job/images/square/001.png'),
    lines[0],
  );
  for (const { label, probability, probabilities } of lines) {
    assert.deepEqual(Object.keys(probabilities).sort(), ['circle', 'square', 'stripes']);
    assert.equal(probability, Math.max(...Object.values(probabilities)));
    assert.equal(probabilities[label], probability);
  }
  assert.equal(new Set(lines.map(({ label }) => label)).size, 3);
});

it('writes a table with the first labels', async () => {
  const world = await predict('job/out', 'job/images/circle/000.png', '--top', '2');
  const [header, row, ...end] = world.written().split('\n');
  assert.match(header ?? '', /^file +label +prob\. +next$/);
  assert.match(row ?? '', /^job\/images\/circle\/000\.png +circle +\d+\.\d % +(?:square|stripes) +\d+\.\d %$/);
  assert.deepEqual([end, world.status()], [[''], 0]);
});

it('says what cannot be read, predicts the others, and ends with status 1', async () => {
  const world = await predict('job/out', 'gone.png', 'torn.png', 'empty', 'job/images/circle/000.png', '--json');
  assert.deepEqual(
    linesOf(world).map(({ file }) => file),
    ['job/images/circle/000.png'],
  );
  assert.equal(world.status(), 1);
  const complaints = world.complaints().replaceAll(/(holds no image|decoded).*/g, '$1');
  assert.equal(
    complaints,
    'gone.png does not exist\nempty holds no image\ntorn.png is no image that can be decoded\n3 of 4 could not be read\n',
  );
});

it('writes nothing to stdout where nothing can be read', async () => {
  const world = await predict('job/out', 'torn.png');
  assert.deepEqual([world.written(), world.status()], ['', 1]);
});

describe('refuses', () => {
  for (const [what, args, code, message] of [
    ['an OUT that is not there', ['nothing', 'torn.png'], 'SourceNotFound', /nothing: does not exist/],
    ['an OUT without a result', ['empty', 'torn.png'], 'SourceNotFound', /empty: found no report\.json/],
    [
      'a number of labels below 1',
      ['job/out', 'torn.png', '--top', '0'],
      'commander.invalidArgument',
      /found "0"; expected a whole number from 1/,
    ],
    [
      'an unknown engine',
      ['job/out', 'torn.png', '--engine', 'abacus'],
      'commander.invalidArgument',
      /Allowed choices are auto, tensorflow, wasm, cpu/,
    ],
    ['no file', ['job/out'], 'commander.missingArgument', /missing required argument 'file'/],
  ] as const) {
    it(what, () => assert.rejects(predict(...args), { code, message }));
  }
});
