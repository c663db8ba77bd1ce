// `preset: auto` on real processes: the order is measured after the head, is the same for any number of trainers, and is
// not measured again by a later run.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { resultFiles } from '@thaw/coordinator/export/result-files.ts';
import type { Report } from '@thaw/coordinator/report/build-report.ts';
import { writeTinyJob } from '../support/fixtures/tiny-job.ts';
import { skipWithoutEngine } from '../support/needed-parts.ts';
import { ownCache } from '../support/own-cache.ts';
import { eventsOf, runThaw } from '../support/thaw-process.ts';

const schedule = { preset: 'auto', epochs: 1, stages: undefined };

describe('a job that measures which blocks to thaw', { skip: await skipWithoutEngine() }, () => {
  let folder = '';
  let cache = '';
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'thaw-auto-'));
    await writeTinyJob(folder, { images: { perClass: 24 }, changes: { spec: { train: { schedule } } } });
    cache = await ownCache(path.join(folder, 'cache'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function run(out: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const ended = await runThaw(['run', 'job.yaml', '--json', '--out', out, ...args], { cwd: folder, env });
    assert.equal(ended.status, 0, ended.said);
    const files = resultFiles(path.join(folder, out));
    const report = JSON.parse(await readFile(files.report, 'utf8')) as Report;
    const kinds = eventsOf(ended.stdout).map(({ kind }) => kind);
    return { report, kinds, page: await readFile(files.page, 'utf8') };
  }

  it('thaws them in the same order, to the same bits, with 1 and with 3 trainers, and only once', async () => {
    const one = await run('one', [], { THAW_CACHE: cache });
    const { ranking } = one.report;
    assert.equal(ranking?.blocks.length, 3);
    assert.ok(
      ranking.blocks.every(({ ratio }) => ratio > 0),
      JSON.stringify(ranking),
    );
    assert.deepEqual(
      one.kinds.filter((kind) => kind === 'stageEnded' || kind === 'blocksRanked'),
      ['stageEnded', 'blocksRanked', 'stageEnded', 'stageEnded', 'stageEnded'],
    );
    assert.match(one.page, /<section id="ranking"/);

    const three = await run('three', ['--trainers', '3']);
    assert.deepEqual(three.report.ranking, ranking);
    assert.equal(three.report.weightsDigest, one.report.weightsDigest);

    const again = await run('again', [], { THAW_CACHE: cache });
    assert.ok(!again.kinds.includes('blocksRanked') && !again.kinds.includes('stageStarted'));
    assert.deepEqual(again.report.ranking, ranking);
    assert.equal(again.report.weightsDigest, one.report.weightsDigest);
  });
});
