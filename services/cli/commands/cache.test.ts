import assert from 'node:assert/strict';
import { link, mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { diskBlobStore } from '@thaw/coordinator/adapters/blob-store.ts';
import { keptStages } from '@thaw/coordinator/adapters/kept-stages/kept-stages.ts';
import { resultFile, stageFolder } from '@thaw/coordinator/adapters/kept-stages/stage-folder.ts';
import { aPlan, aStage, Play } from '@thaw/coordinator/testing/builders.ts';
import { ageOf, ageText, byteCount } from '../cache/amounts.ts';
import { capturedWorld } from '../testing/captured-world.ts';
import { cacheCommand } from './cache.ts';

const day = 86_400;
const levelName = 'backbone/pool (ffffffffffff)';
let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'thaw-cache-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function run(...args: string[]) {
  const world = capturedWorld({ cwd: folder, cacheDirectory: path.join(folder, 'cache') });
  await cacheCommand(world).parseAsync(args, { from: 'user' });
  return world.written();
}

interface Item {
  readonly kind: string;
  readonly name: string;
  readonly bytes: number;
  readonly isRemovable: boolean;
}

const itemsOf = async (...args: string[]): Promise<Item[]> => {
  const { entries, removed } = JSON.parse(await run(...args, '--json')) as { entries?: Item[]; removed?: Item[] };
  return entries ?? removed ?? [];
};

/** Two stages (10 and 1 days old), features (20 days), two blobs (40 and 2 days), and a set-up part as old as the world. */
async function fill(): Promise<void> {
  const cacheDirectory = path.join(folder, 'cache');
  const now = Date.now() / 1000;
  const stages = [aStage(), aStage({ name: 'block' })];
  const blobs = diskBlobStore(path.join(folder, 'job'));
  const log = { info: () => undefined, warn: (about: object) => assert.fail(JSON.stringify(about)) };
  const options = { cacheDirectory, bytesMax: 1e9, fresh: false, blobs, log, wall: () => Date.now() };
  const kept = keptStages(options as Parameters<typeof keptStages>[0]);
  for (const [i, result] of new Play(aPlan({ stages })).gather(2).playOn([5, 6, 7, 8]).kept().entries()) {
    const digest = await blobs.put(`state ${i}`.padEnd(5000));
    const held = { ...result.held, digest };
    const best = result.record.best && { ...result.record.best, stored: held };
    await kept.keep({ ...result, held, record: { ...result.record, best } }, []);
    const used = now - (i === 0 ? 10 : 1) * day;
    await utimes(resultFile(stageFolder(cacheDirectory), result.key), used, used);
  }
  for (const [name, size, age] of [
    [`features/v1/${'f'.repeat(64)}/1-2.pack`, 4000, 20],
    ['blobs/sha256-aa', 3000, 40],
    ['blobs/sha256-bb', 2000, 2],
    ['engine/tfjs-node/deps', 100_000, 900],
  ] as const) {
    const file = path.join(cacheDirectory, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, 'x'.repeat(size));
    await utimes(file, now - age * day, now - age * day);
  }
  const about = path.join(cacheDirectory, 'features', 'v1', 'f'.repeat(64), 'level.json');
  await writeFile(about, '{"version": 1, "name": "backbone/pool", "rowBytes": 4}');
  await utimes(about, now - 20 * day, now - 20 * day);
}

describe('thaw cache', () => {
  it('lists what there is by kind, with age and size', async () => {
    await fill();
    const items = await itemsOf('ls');
    assert.deepEqual(
      items.map(({ kind, name, isRemovable }) => [kind, name, isRemovable]),
      [
        ['stage', 'digits, stage block', true],
        ['stage', 'digits, stage head', true],
        ['features', 'backbone/pool (ffffffffffff)', true],
        ['blob', 'sha256:bb', true],
        ['blob', 'sha256:aa', true],
        ['engine', 'tfjs-node', false],
      ],
    );
    assert.equal(items.at(-1)?.bytes, 100_000);
    const text = await run('ls');
    assert.match(text, /^engine: 100\.0 kB, not removed by gc$/m);
    assert.match(text, /10 d ago {2}digits, stage head$/m);
    assert.ok(text.endsWith(` in ${path.join(folder, 'cache')}\n`));
  });

  it('says its limits as they are typed', () => {
    const options = cacheCommand(capturedWorld({ cwd: folder, cacheDirectory: folder })).commands[1]?.options ?? [];
    const said = options.flatMap(({ defaultValueDescription: text, defaultValue }) =>
      text === undefined ? [] : [[text, defaultValue]],
    );
    assert.deepEqual(said, [
      ['30d', ageOf('30d')],
      ['20Gi', byteCount('20Gi')],
    ]);
  });

  it('takes no blob away that is being written, but one that was left behind', async () => {
    const blobs = path.join(folder, 'cache', 'blobs');
    await mkdir(blobs, { recursive: true });
    const now = Date.now() / 1000;
    for (const [name, ageHours] of [
      ['sha256-cc.1f.part', 0],
      ['sha256-dd.2e.part', 2],
    ] as const) {
      await writeFile(path.join(blobs, name), 'x');
      await utimes(path.join(blobs, name), now - ageHours * 3600, now - ageHours * 3600);
    }
    const gone = await itemsOf('gc', '--max-bytes', '0');
    assert.deepEqual(
      gone.map(({ name }) => name),
      ['sha256-dd.2e.part (unfinished)'],
    );
  });

  it('counts a file that has two names once', async () => {
    const sources = path.join(folder, 'cache', 'sources');
    for (const name of ['aa', 'bb']) await mkdir(path.join(sources, name), { recursive: true });
    await writeFile(path.join(sources, 'aa', 'shard.bin'), 'x'.repeat(1000));
    await link(path.join(sources, 'aa', 'shard.bin'), path.join(sources, 'bb', 'shard.bin'));
    await writeFile(path.join(sources, 'bb', 'model.json'), 'x'.repeat(10));
    const sizes = (await itemsOf('ls')).map(({ name, bytes }) => [name, bytes] as const);
    assert.deepEqual(Object.fromEntries(sizes), { aa: 1000, bb: 10 });
    assert.match(await run('ls'), /^sources: 1\.0 kB, not removed by gc$/m);
  });

  it('is empty where nothing was kept', async () => {
    assert.equal(await run('ls'), `0 B in ${path.join(folder, 'cache')}\n`);
    assert.equal(await run('gc'), 'removed 0 items, 0 B\n');
  });

  for (const { args, gone } of [
    { args: [], gone: ['sha256:aa'] },
    { args: ['--max-age', '5d'], gone: ['digits, stage head', levelName, 'sha256:aa'] },
    // The newest stage and the newer blob fit; what is older goes, though the oldest blob alone would fit too.
    { args: ['--max-bytes', '10000'], gone: ['digits, stage head', levelName, 'sha256:aa'] },
    {
      args: ['--max-bytes', '0'],
      gone: ['digits, stage block', 'sha256:bb', 'digits, stage head', levelName, 'sha256:aa'],
    },
  ]) {
    it(`gc ${args.join(' ')} removes ${gone.join(', ')}`, async () => {
      await fill();
      const before = (await itemsOf('ls')).map(({ name }) => name);
      assert.deepEqual(
        (await itemsOf('gc', ...args, '--dry-run')).map(({ name }) => name),
        gone,
      );
      assert.deepEqual(
        (await itemsOf('ls')).map(({ name }) => name),
        before,
      );
      const [one, other] = await Promise.all([itemsOf('gc', ...args), itemsOf('gc', ...args)]);
      assert.deepEqual(
        one.map(({ name }) => name),
        gone,
      );
      assert.ok(other.length <= gone.length);
      const after = (await itemsOf('ls')).map(({ name }) => name);
      assert.deepEqual(
        after,
        before.filter((name) => !gone.includes(name)),
      );
      const states = await readdir(stageFolder(path.join(folder, 'cache')).states);
      assert.equal(states.length, after.filter((name) => name.includes('stage')).length);
    });
  }
});

describe('amounts', () => {
  for (const [text, milliseconds] of [
    ['90m', 5_400_000],
    ['12h', 43_200_000],
    ['30d', 2_592_000_000],
  ] as const) {
    it(`reads the age ${text}`, () => assert.equal(ageOf(text), milliseconds));
  }
  for (const [text, bytes] of [
    ['1000', 1000],
    ['20Gi', 20 * 2 ** 30],
    ['0', 0],
  ] as const) {
    it(`reads ${text} bytes`, () => assert.equal(byteCount(text), bytes));
  }
  for (const text of ['', '30', '-1d', '1.5h', '3w']) {
    it(`refuses the age "${text}"`, () => assert.throws(() => ageOf(text), /expected a whole number of minutes/));
  }
  for (const text of ['', '20GB', '-1', '1e3']) {
    it(`refuses "${text}" bytes`, () => assert.throws(() => byteCount(text), /expected bytes, such as 20Gi/));
  }
  for (const [milliseconds, text] of [
    [-5, '0 min'],
    [59_000, '0 min'],
    [7_199_999, '1 h'],
    [172_800_000, '2 d'],
  ] as const) {
    it(`says ${milliseconds} ms as ${text}`, () => assert.equal(ageText(milliseconds), text));
  }
});
