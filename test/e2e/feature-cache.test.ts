// The result of a job does not depend on its feature cache: on, off, too small, warm, left half-filled by a killed run,
// damaged. The budgets hold, and what they hold is computed once.

import assert from 'node:assert/strict';
import { mkdtemp, open, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { resultFiles } from '@thaw/coordinator/export/result-files.ts';
import { prepareJob } from '@thaw/coordinator/prepare/prepare-job.ts';
import type { Report } from '@thaw/coordinator/report/build-report.ts';
import { indexPack } from '@thaw/trainer/cache/pack-file.ts';
import { packEnding } from '@thaw/trainer/cache/pack-folder.ts';
import { pathWithBroker } from '../support/broker-on-path.ts';
import { type Fields, writeTinyJob } from '../support/fixtures/tiny-job.ts';
import { skipWithoutEngine, skipWithoutNatsServer } from '../support/needed-parts.ts';
import { ownCache } from '../support/own-cache.ts';
import { killAll, runThaw, startThaw, until } from '../support/thaw-process.ts';

interface Budgets {
  readonly memory: string;
  readonly disk: string;
}

const plenty: Budgets = { memory: '64Mi', disk: '64Mi' };
const perClass = 80;
const samples = 3 * perClass;

/** Plain JavaScript takes far longer to compute a row than to read it. */
const slowlyComputed: Fields = {
  spec: {
    train: { schedule: { stages: [{ name: 'head', trainable: ['head/**'], epochs: 2 }] } },
    trainers: { engine: 'cpu', cache: plenty },
  },
};

describe('the same bits whatever the feature cache holds', { skip: await skipWithoutEngine() }, () => {
  let folder = '';
  let first: string | null = null;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'thaw-features-'));
    await ownCache(path.join(folder, 'cache'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const features = (): string => path.join(folder, 'cache', 'features', 'v1');

  /** Runs the job over two trainers and returns what their logs say. */
  const run = async (name: string, cache: Budgets): Promise<string> => {
    const cwd = path.join(folder, name);
    await writeTinyJob(cwd, { changes: { spec: { trainers: { replicas: 2, cache } } } });
    // Stages that were kept would be reused, and compute nothing.
    const env = { THAW_CACHE: path.join(folder, 'cache'), THAW_STAGE_BYTES: '0' };
    const { status, said } = await runThaw(['run', 'job.yaml', '--out', 'out', '--json'], { cwd, env });
    assert.equal(status, 0, said);
    const { report, logs } = resultFiles(path.join(cwd, 'out'));
    const { weightsDigest } = JSON.parse(await readFile(report, 'utf8')) as Report;
    first ??= weightsDigest;
    assert.equal(weightsDigest, first);
    const files = (await readdir(logs)).filter((file) => file.startsWith('trainer-') && file.endsWith('.jsonl'));
    return (await Promise.all(files.map((file) => readFile(path.join(logs, file), 'utf8')))).join('');
  };

  it('off: everything is computed again, and nothing lies on disk', async () => {
    assert.match(await run('off', { memory: '0', disk: '0' }), /features of 0 of \d+ samples fit/);
    assert.equal(await bytesUnder(features()), 0);
  });

  it('too small: the budgets hold', async () => {
    assert.match(await run('small', { memory: '1k', disk: '8Ki' }), /features of \d+ of \d+ samples fit/);
    const bytes = await bytesUnder(features());
    assert.ok(bytes > 0 && bytes <= 8 * 1024, `${bytes} bytes`);
  });

  it('on, and on disk alone', async () => {
    await rm(features(), { recursive: true });
    assert.doesNotMatch(await run('on', plenty), /samples fit|damaged/);
    // What the run before has left is read or computed again, whichever this machine does faster just now.
    assert.doesNotMatch(await run('disk', { ...plenty, memory: '0' }), /damaged/);
  });

  it('warm: what lies on disk is proved or left alone, with both times', async () => {
    assert.match(
      await run('warm', plenty),
      /features at .* are (read from disk|computed): reading takes [\d.]+ ms a sample/,
    );
    const text = await readFile(resultFiles(path.join(folder, 'warm', 'out')).report, 'utf8');
    const { featureCache } = JSON.parse(text) as Report;
    const { proved = 0, choices = [], fromMemory = 0, savedSeconds = 0 } = featureCache ?? {};
    assert.ok(proved > 0 && fromMemory > 0 && savedSeconds > 0, text);
    assert.ok(choices.length > 0 && choices.every(({ otherBits }) => !otherBits), JSON.stringify(choices));
  });

  it('half-written and damaged: said, and computed again', async () => {
    const packs = (await readdir(features(), { recursive: true })).filter((file) => file.endsWith('.pack'));
    assert.ok(packs.length >= 4, packs.join());
    for (const [i, name] of packs.entries()) {
      const pack = path.join(features(), name);
      const bytes = await readFile(pack);
      if (i % 2 === 0) await truncate(pack, Math.floor(bytes.length * 0.6));
      else
        await writeFile(
          pack,
          bytes.map((byte, at) => (at % 512 === 511 ? byte ^ 1 : byte)),
        );
    }
    assert.match(await run('damaged', plenty), /the feature cache is damaged/);
  });
});

describe('the frozen part of a job of three stages', { skip: await skipWithoutEngine() }, () => {
  const stages = [
    { name: 'head', trainable: ['head/**'], epochs: 2 },
    { name: 'last-block', trainable: ['head/**', 'last(1)'], epochs: 2, learningRate: 0.002 },
    { name: 'two-blocks', trainable: ['head/**', 'last(2)'], epochs: 2, learningRate: 0.001 },
  ];
  for (const [where, cache] of [
    ['in memory', { ...plenty, disk: '0' }],
    ['on disk', { ...plenty, memory: '0' }],
  ] as const) {
    it(`runs once for each sample, and is read ${where} from then on`, async () => {
      const folder = await mkdtemp(path.join(tmpdir(), 'thaw-once-'));
      try {
        const spec = { train: { schedule: { stages } }, trainers: { replicas: 2, cache } };
        await writeTinyJob(folder, { changes: { spec }, images: { perClass } });
        const { computed, fromMemory, fromDisk } = await finished(folder, 'out', {});
        assert.equal(computed, samples);
        // Each stage has two epochs, each of which trains on four fifths of the samples and validates on a tenth; the last
        // tenth is tested once.
        const read = where === 'in memory' ? fromMemory : fromDisk;
        assert.equal(read, 3 * 2 * (samples - samples / 10) + samples / 10);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
  }
});

describe('a job that was killed while it filled its cache', { skip: skipWithoutNatsServer() }, () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'thaw-half-filled-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('uses the rows that are whole, computes the others, and has the bits of an undisturbed run', async () => {
    await writeTinyJob(folder, { changes: slowlyComputed, images: { perClass } });
    const cache = await ownCache(path.join(folder, 'cache'));
    const env = { THAW_CACHE: cache, THAW_STAGE_BYTES: '0' };
    const picture = await aPictureReadLast(folder, cache);
    // A pipe that nobody writes to is in the picture's place once the data is listed: filling waits there for the kill.
    const PATH = await pathWithBroker(folder, `mv '${picture}' '${picture}.away'\nmkfifo '${picture}'`);
    const args = ['run', 'job.yaml', '--out', 'killed', '--json'];
    const killed = await startThaw(args, { cwd: folder, env: { ...env, PATH } });
    await until(killed, async () => (await wholeRows(cache)) > 0);
    await killAll(killed);
    await rename(`${picture}.away`, picture);
    const whole = await wholeRows(cache);
    assert.ok(whole > 0 && whole < samples - samples / 10, `${whole} rows of ${samples} were whole`);

    const again = await finished(folder, 'again', env);
    const undisturbed = await finished(folder, 'undisturbed', { THAW_STAGE_BYTES: '0' });
    assert.deepEqual([undisturbed.computed, undisturbed.fromDisk], [samples, 0]);
    assert.deepEqual([again.computed, again.fromDisk], [samples - whole, whole]);
    assert.equal(again.weightsDigest, undisturbed.weightsDigest);
  });
});

/** Of the validation set: a stage is filled with what it trains on first. */
async function aPictureReadLast(folder: string, cacheDirectory: string): Promise<string> {
  const jobText = await readFile(path.join(folder, 'job.yaml'), 'utf8');
  const prepared = await prepareJob({ jobText, fileName: 'job.yaml', baseDir: folder, cacheDirectory });
  const [picture] = prepared.manifest.sets.validation.paths;
  assert.ok(picture);
  return path.resolve(prepared.dataRoot, picture);
}

/** Runs the job to its end; what its cache did, and the digest of its weights. */
async function finished(cwd: string, out: string, env: NodeJS.ProcessEnv) {
  const { status, said } = await runThaw(['run', 'job.yaml', '--out', out, '--json'], { cwd, env });
  assert.equal(status, 0, said);
  const text = await readFile(resultFiles(path.join(cwd, out)).report, 'utf8');
  const { weightsDigest, featureCache } = JSON.parse(text) as Report;
  assert.ok(featureCache, text);
  return { weightsDigest, ...featureCache };
}

/** Rows in all packs of a cache folder, as another process would find them. */
async function wholeRows(cache: string): Promise<number> {
  const root = path.join(cache, 'features', 'v1');
  const files = await readdir(root, { recursive: true }).catch(() => []);
  let rows = 0;
  for (const name of files.filter((file) => file.endsWith(packEnding))) {
    const pack = await open(path.join(root, name));
    const levelKey = path.dirname(name);
    const { rowBytes } = JSON.parse(await readFile(path.join(root, levelKey, 'level.json'), 'utf8')) as {
      rowBytes: number;
    };
    rows += indexPack(pack.fd, (await pack.stat()).size, { levelKey, rowBytes }).places.size;
    await pack.close();
  }
  return rows;
}

async function bytesUnder(directory: string): Promise<number> {
  const files = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = files.map(async (file) =>
    file.isFile() ? (await stat(path.join(file.parentPath, file.name))).size : 0,
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
