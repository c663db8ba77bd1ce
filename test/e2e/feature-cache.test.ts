// The result of a job does not depend on its feature cache: on, off, too small, warm, left half-written by a killed run,
// damaged. And the budgets hold.

import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { resultFiles } from '@thaw/coordinator/export/result-files.ts';
import type { Report } from '@thaw/coordinator/report/build-report.ts';
import { writeTinyJob } from '../support/fixtures/tiny-job.ts';
import { skipWithoutEngine } from '../support/needed-parts.ts';
import { ownCache } from '../support/own-cache.ts';
import { runThaw } from '../support/thaw-process.ts';

interface Budgets {
  readonly memory: string;
  readonly disk: string;
}

const plenty: Budgets = { memory: '64Mi', disk: '64Mi' };

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

async function bytesUnder(directory: string): Promise<number> {
  const files = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = files.map(async (file) =>
    file.isFile() ? (await stat(path.join(file.parentPath, file.name))).size : 0,
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
