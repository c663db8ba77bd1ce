import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type Digest, digestOfJson, fileNameOf } from '@thaw/common/content/digest.ts';
import type { StageResult } from '../../core/kept-stage.ts';
import type { StageResults } from '../../runtime/ports.ts';
import { aPlan, aStage, Play } from '../../testing/builders.ts';
import { type BlobStore, diskBlobStore } from '../blob-store.ts';
import { type KeptStagesOptions, keptStages, stageMillisecondsMax } from './kept-stages.ts';
import { beyondLimits } from './limits.ts';
import { filesToRemove, listStages, removeFiles, resultFile, stageFolder } from './stage-folder.ts';

const now = Date.UTC(2026, 0, 5);
const bad = [{ split: 'train', id: 'yes/7.png', reason: 'truncated' }];
/** As the real core keeps them; their states are put in by `aJob`. */
const [first, second] = new Play(aPlan({ stages: [aStage(), aStage({ name: 'block' })] }))
  .gather(2)
  .playOn([6, 5, 7, 8])
  .kept() as [StageResult, StageResult];

let folder = '';
let cacheDirectory = '';
let warnings: object[] = [];

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'thaw-stages-'));
  cacheDirectory = path.join(folder, 'cache');
  warnings = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

interface Job {
  readonly blobs: BlobStore;
  readonly stages: StageResults;
}

function aJob(name: string, changes: Partial<KeptStagesOptions> = {}): Job {
  const blobs = diskBlobStore(path.join(folder, name));
  const log = { info: () => undefined, warn: (about: object) => warnings.push(about) };
  const options = { cacheDirectory, bytesMax: 1e6, fresh: false, blobs, log, wall: () => now, ...changes };
  return { blobs, stages: keptStages(options as KeptStagesOptions) };
}

/** The stage with states that are really there: `size` bytes each, their content named by `what`. */
async function withStates(stage: StageResult, { blobs }: Job, what: string, size = 100): Promise<StageResult> {
  const put = (which: string): Promise<Digest> => blobs.put(`${what} ${which}`.padEnd(size));
  const held = { ...stage.held, digest: await put('last') };
  const best = stage.record.best && { ...stage.record.best, stored: { ...held, digest: await put('best') } };
  return { ...stage, held, record: { ...stage.record, best } };
}

function search({ stages }: Job, wanted: readonly StageResult[]) {
  return stages.find((found) => wanted[found.length]?.key ?? null);
}

async function keepBoth(): Promise<readonly [StageResult, StageResult]> {
  const job = aJob('job');
  const results = [await withStates(first, job, 'first'), await withStates(second, job, 'second')] as const;
  for (const result of results) await job.stages.keep(result, bad);
  assert.deepEqual(warnings, []);
  return results;
}

const stateFile = (digest: string): string => path.join(stageFolder(cacheDirectory).states, fileNameOf(digest));
const fileOf = ({ key }: StageResult): string => resultFile(stageFolder(cacheDirectory), key);

describe('kept stages', () => {
  it('are found by another job, with their states in its own store', async () => {
    const kept = await keepBoth();
    const other = aJob('other');
    const { results, badSamples } = await search(other, kept);
    assert.deepEqual(results, kept);
    assert.deepEqual(badSamples, bad);
    const digests = [kept[1].held.digest, kept[1].record.best?.stored?.digest as string];
    await rm(cacheDirectory, { recursive: true });
    for (const digest of digests) assert.equal((await other.blobs.read(digest)).length, 100);
  });

  it('are found up to the first one that is not there', async () => {
    const kept = await keepBoth();
    await rm(fileOf(kept[0]));
    assert.deepEqual(await search(aJob('other'), kept), { results: [], badSamples: [] });
    assert.deepEqual(warnings, []);
  });

  it('leave nothing half done', async () => {
    await keepBoth();
    const names = await readdir(cacheDirectory, { recursive: true });
    assert.deepEqual(
      names.filter((name) => name.endsWith('.part')),
      [],
    );
  });

  const damages: readonly (readonly [string, (kept: StageResult) => Promise<unknown>])[] = [
    ['a result cut short', async (kept) => writeFile(fileOf(kept), (await readFile(fileOf(kept))).subarray(0, 200))],
    ['a changed figure', (kept) => edited(fileOf(kept), '"steps":8', '"steps":9')],
    ['an unknown version', (kept) => edited(fileOf(kept), '{"version":1', '{"version":2')],
    ['the figures of another Thaw', (kept) => resealed(fileOf(kept), '"count"', '"counted"')],
    [
      'the name of another',
      async (kept) => writeFile(fileOf(kept), await readFile(fileOf({ ...kept, key: first.key }))),
    ],
    ['a lost state', (kept) => rm(stateFile(kept.held.digest))],
    ['a changed state', (kept) => edited(stateFile(kept.held.digest), 'second', 'secona')],
  ];
  for (const [what, damage] of damages) {
    it(`are passed over with a line in the log for ${what}, and what comes before them is used`, async () => {
      const kept = await keepBoth();
      await damage(kept[1]);
      const other = aJob('other');
      const { results } = await search(other, kept);
      assert.deepEqual(results, kept.slice(0, 1));
      assert.equal(warnings.length, 1, JSON.stringify(warnings));
      assert.equal((await other.blobs.read(kept[0].held.digest)).length, 100);
    });
  }

  it('are not looked for by a fresh run, which keeps its own', async () => {
    const [kept] = await keepBoth();
    const fresh = aJob('job', { fresh: true });
    assert.deepEqual((await search(fresh, [kept])).results, []);
    const later = { ...kept, job: { name: 'digits', uid: '01LATER' } };
    await fresh.stages.keep(later, []);
    assert.deepEqual((await search(aJob('other'), [kept])).results, [later]);
  });

  it('are neither read nor written where they may take no room', async () => {
    const [kept] = await keepBoth();
    const off = aJob('job', { bytesMax: 0 });
    assert.deepEqual((await search(off, [kept])).results, []);
    await off.stages.keep({ ...kept, key: second.key }, []);
    assert.equal((await listStages(stageFolder(cacheDirectory))).length, 2);
  });

  it('do not end a job that cannot write them', async () => {
    await writeFile(cacheDirectory, 'a file where the folder should be');
    const job = aJob('job');
    await job.stages.keep(await withStates(first, job, 'first'), []);
    assert.deepEqual((await search(job, [first])).results, []);
    assert.equal(warnings.length, 2);
  });

  it('that alone are over the bound are not kept', async () => {
    const job = aJob('job', { bytesMax: 150 });
    await job.stages.keep(await withStates(first, job, 'first'), []);
    assert.deepEqual(await listStages(stageFolder(cacheDirectory)), []);
    assert.equal(warnings.length, 1);
  });
});

describe('the oldest stages', () => {
  it('go when a new one needs the room, with the states that only they have', async () => {
    const bytesMax = 25_000;
    const job = aJob('job', { bytesMax });
    const sized = await withStates(first, job, 'first', 10_000);
    await job.stages.keep(sized, []);
    await utimes(fileOf(sized), 1, now / 1000 - 60);
    const next = await withStates(second, job, 'second', 5000);
    await job.stages.keep({ ...next, held: sized.held }, []);
    assert.deepEqual(
      (await listStages(stageFolder(cacheDirectory))).map(({ key }) => key),
      [second.key],
    );
    const left = await readdir(stageFolder(cacheDirectory).states);
    assert.equal(left.length, 2);
    assert.ok(left.includes(fileNameOf(sized.held.digest)), 'a state that the new one shares stays');
  });

  it('are those that were not used for longest: being reused counts', async () => {
    const kept = await keepBoth();
    for (const [i, one] of kept.entries()) await utimes(fileOf(one), 1, now / 1000 - 100 + i);
    await search(aJob('other', { wall: () => now }), kept.slice(0, 1));
    const [newest] = await listStages(stageFolder(cacheDirectory));
    assert.equal(newest?.key, first.key);
  });

  it('go by age, and two may remove them at once', async () => {
    const [old] = await keepBoth();
    await utimes(fileOf(old), 1, (now - stageMillisecondsMax) / 1000 - 1);
    const files = await removable(stageMillisecondsMax);
    assert.equal(files.length, 3);
    await Promise.all([removeFiles(files), removable(stageMillisecondsMax).then(removeFiles)]);
    const { states } = stageFolder(cacheDirectory);
    assert.equal((await listStages(stageFolder(cacheDirectory))).length, 1);
    assert.equal((await readdir(states)).length, 2);
  });

  it('take with them what a dead process left, not what a living one may be writing', async () => {
    await keepBoth();
    const { states } = stageFolder(cacheDirectory);
    const [dead, alive] = ['incoming.1.part', 'incoming.2.part'].map((name) => path.join(states, name)) as [
      string,
      string,
    ];
    for (const file of [dead, alive]) await writeFile(file, 'x');
    await utimes(dead, 1, now / 1000 - 7200);
    await utimes(alive, 1, now / 1000 - 60);
    assert.deepEqual(await removable(Number.POSITIVE_INFINITY), [dead]);
  });

  it('leave alone the states of a Thaw that writes another version', async () => {
    const [, kept] = await keepBoth();
    await edited(fileOf(kept), '{"version":1', '{"version":2');
    await utimes(stateFile(kept.held.digest), 1, 1);
    assert.deepEqual(await removable(Number.POSITIVE_INFINITY), []);
  });
});

async function removable(millisecondsMax: number): Promise<string[]> {
  const kept = stageFolder(cacheDirectory);
  const all = await listStages(kept);
  const going = beyondLimits(all, { bytesMax: Number.POSITIVE_INFINITY, millisecondsMax, now });
  return filesToRemove(kept, { all, going, now });
}

/** An edit by one who also puts the digest right. */
async function resealed(file: string, from: string, to: string): Promise<void> {
  const { version, digest: _, ...content } = JSON.parse((await readFile(file, 'utf8')).replaceAll(from, to));
  await writeFile(file, JSON.stringify({ version, digest: digestOfJson(content), ...content }));
}

async function edited(file: string, from: string, to: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  assert.ok(text.includes(from), `${from} in ${text}`);
  await writeFile(file, text.replace(from, to));
}
