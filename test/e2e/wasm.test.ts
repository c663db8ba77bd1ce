// A whole job on the engine of machines without TensorFlow: it says so, and its bits too are the same for any number of
// trainers.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { resultFiles } from '@thaw/coordinator/export/result-files.ts';
import type { Report } from '@thaw/coordinator/report/build-report.ts';
import { writeTinyJob } from '../support/fixtures/tiny-job.ts';
import { skipWithoutNatsServer } from '../support/needed-parts.ts';
import { runThaw } from '../support/thaw-process.ts';

describe('a job on wasm', { skip: skipWithoutNatsServer() }, () => {
  let folder = '';
  let first: Report | null = null;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'thaw-wasm-'));
    await writeTinyJob(folder, { changes: { spec: { trainers: { engine: 'wasm' } } } });
  });
  after(() => rm(folder, { recursive: true, force: true }));

  for (const trainers of [1, 3]) {
    it(`says so, and has the same bits with ${trainers} trainers`, async () => {
      const out = path.join(folder, `out-${trainers}`);
      const { status, stderr, said } = await runThaw(['run', 'job.yaml', '--trainers', `${trainers}`, '--out', out], {
        cwd: folder,
      });
      assert.equal(status, 0, said);
      assert.match(stderr.replace(/\s+/g, ' '), /warning: engine wasm: expect /);
      const report = JSON.parse(await readFile(resultFiles(out).report, 'utf8')) as Report;
      first ??= report;
      assert.equal(report.weightsDigest, first.weightsDigest);
      assert.deepEqual(report.test, first.test);
      assert.deepEqual([report.engineClass.engine, report.engineClass.threads], ['wasm', 1]);
      assert.match(report.engineClass.version, /^tfjs-backend-wasm 4\.22\.0, node /);
      assert.match(report.warnings?.[0] ?? '', /^engine wasm: expect /);
    });
  }
});
