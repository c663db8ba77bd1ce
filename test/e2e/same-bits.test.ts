// The promise that everything rests on: the final weights are the same bits for any number of trainers, every time.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type ResultFiles, resultFiles } from '@thaw/coordinator/export/result-files.ts';
import type { Report } from '@thaw/coordinator/report/build-report.ts';
import { writeTinyJob } from '../support/fixtures/tiny-job.ts';
import { skipWithoutEngine } from '../support/needed-parts.ts';
import { eventsOf, startThaw } from '../support/thaw-process.ts';

describe('the same bits whoever trains', { skip: await skipWithoutEngine() }, () => {
  let folder = '';
  let first: Report | null = null;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'thaw-bits-'));
    await writeTinyJob(folder, { changes: augmented });
  });
  after(() => rm(folder, { recursive: true, force: true }));

  for (const trainers of [1, 2, 3, 4]) {
    for (const time of ['once', 'again']) {
      it(`with ${trainers} trainers, ${time}`, async () => {
        const out = `out-${trainers}-${time}`;
        const thaw = await startThaw(['run', 'job.yaml', '--trainers', `${trainers}`, '--out', out, '--json'], {
          cwd: folder,
        });
        const { status, stdout, stderr } = await thaw.ended;
        assert.equal(status, 0, stderr);
        const report = await reportIn(resultFiles(path.join(folder, out)));
        first ??= report;
        assert.equal(report.weightsDigest, first.weightsDigest);
        assert.equal(report.jobDigest, first.jobDigest);
        assert.equal(report.trainers.length, trainers);
        assert.deepEqual(report.test, first.test);
        assert.deepEqual(validations(report), validations(first));
        assert.equal(eventsOf(stdout).at(-1)?.weightsDigest, report.weightsDigest);
        assert.deepEqual(await thaw.family(), []);
        assert.deepEqual(await thaw.temporaryFiles(), []);
      });
    }
  }

  it('with another seed, other bits', async () => {
    const cwd = path.join(folder, 'other');
    await writeTinyJob(cwd, { changes: { spec: { ...augmented.spec, train: { seed: 8 } } } });
    const { status, stderr } = await (await startThaw(['run', 'job.yaml', '--out', 'out'], { cwd })).ended;
    assert.equal(status, 0, stderr);
    const report = await reportIn(resultFiles(path.join(cwd, 'out')));
    assert.notEqual(report.weightsDigest, first?.weightsDigest);
  });
});

/** Everything that draws random numbers is on: augmentation over two views, and dropout in the head. */
const augmented = {
  spec: {
    data: {
      augment: [{ flip: { axis: 'horizontal' } }, { crop: { area: [0.7, 1] } }, { brightness: { amount: 0.2 } }],
      views: 2,
    },
  },
};

async function reportIn({ report }: ResultFiles): Promise<Report> {
  return JSON.parse(await readFile(report, 'utf8')) as Report;
}

function validations({ stages }: Report): unknown[] {
  return stages.flatMap(({ history }) =>
    history.map(({ epoch, validation, stateDigest }) => [epoch, validation, stateDigest]),
  );
}
