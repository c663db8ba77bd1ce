// What no stage's key holds changes no bit of a stage: all such fields at once, in a run of its own, against a run with
// none of them; and a run that finds the stages of the first one has nothing to train. Which fields these are is checked
// against the schema in services/common/job/every-field.test.ts.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { resultFiles } from '@thaw/coordinator/export/result-files.ts';
import type { Report } from '@thaw/coordinator/report/build-report.ts';
import { writeImages } from '../support/fixtures/tiny-images.ts';
import { aTinyJob, writeTinyJob } from '../support/fixtures/tiny-job.ts';
import { writeTinyModel } from '../support/fixtures/tiny-model.ts';
import { skipWithoutEngine } from '../support/needed-parts.ts';
import { ownCache } from '../support/own-cache.ts';
import { eventsOf, runThaw } from '../support/thaw-process.ts';

const stages = [
  { name: 'head', trainable: ['head/**'], epochs: 2 },
  { name: 'last-block', trainable: ['head/**', 'last(1)'], epochs: 1, learningRate: 0.002 },
];

const changes = {
  metadata: { name: 'other', namespace: 'team', labels: { a: 'b' }, annotations: { c: 'd' } },
  spec: {
    model: { source: 'file:elsewhere/model' },
    data: { source: 'file:elsewhere/images', format: 'imageFolder', maxBadSamples: 0.5 },
    train: { schedule: { stages: stages.map((stage) => ({ ...stage, name: `${stage.name}-again` })) } },
    trainers: { replicas: 2, min: 2, max: 8, cache: { memory: '1k', disk: '8Ki' } },
    output: { uri: 'file:other-out', formats: ['safetensors'], calibrate: 'temperature' },
    snapshot: { everySeconds: 0.1 },
  },
};

describe('a job with every field changed that is in no stage key', { skip: await skipWithoutEngine() }, () => {
  let folder = '';
  let first: Run;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'thaw-outside-'));
    await writeTinyJob(folder, { changes: { spec: { train: { schedule: { stages } } } } });
    await writeTinyModel(path.join(folder, 'elsewhere', 'model'));
    await writeImages(path.join(folder, 'elsewhere', 'images'));
    const { spec } = changes;
    await writeFile(path.join(folder, 'changed.yaml'), aTinyJob(changes));
    const last = { ...changes, spec: { ...spec, output: { ...spec.output, weights: 'last' } } };
    await writeFile(path.join(folder, 'last.yaml'), aTinyJob(last));
    await ownCache(path.join(folder, 'cache'));
    first = await finished('job.yaml', path.join(folder, 'cache'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  interface Run {
    readonly report: Report;
    readonly reused: number;
  }

  async function finished(job: string, cache?: string): Promise<Run> {
    const out = path.join(folder, `out-${job}`);
    const env = cache === undefined ? {} : { THAW_CACHE: cache };
    const { status, stdout, said } = await runThaw(['run', job, '--out', out, '--json'], { cwd: folder, env });
    assert.equal(status, 0, said);
    const report = JSON.parse(await readFile(resultFiles(out).report, 'utf8')) as Report;
    return { report, reused: eventsOf(stdout).filter(({ kind }) => kind === 'stageReused').length };
  }

  it('has the bits of the job without the changes, in every epoch', async () => {
    const { report, reused } = await finished('changed.yaml');
    assert.equal(reused, 0);
    assert.equal(report.weightsDigest, first.report.weightsDigest);
    assert.deepEqual(statesOf(report), statesOf(first.report));
    assert.equal(report.trainers.length, 2);
  });

  it('finds every stage where the job without the changes has kept them, also for its last weights', async () => {
    const { report, reused } = await finished('last.yaml', path.join(folder, 'cache'));
    assert.equal(reused, stages.length);
    assert.deepEqual(statesOf(report), statesOf(first.report));
  });
});

function statesOf({ stages: trained }: Report): string[] {
  return trained.flatMap(({ history }) => history.map(({ stateDigest }) => stateDigest));
}
