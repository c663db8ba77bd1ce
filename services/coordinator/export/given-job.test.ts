import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { it } from 'node:test';
import type { PreparedJob } from '../prepare/prepared-job.ts';
import { aPreparedJob } from '../testing/a-prepared-job.ts';
import { aStage } from '../testing/builders.ts';
import { readGivenJob, requireSameJob, writeGivenJob } from './given-job.ts';

const prepared = aPreparedJob({ stages: [aStage()] });
const text = { jobText: 'kind: FineTuneJob', fileName: 'job.yaml', baseDir: '/jobs' };

/** The job as it was given, read back, and what is asked of it. */
async function against(now: PreparedJob): Promise<void> {
  const out = await mkdtemp(path.join(tmpdir(), 'thaw-given-'));
  try {
    await writeGivenJob(out, text, prepared);
    const given = await readGivenJob(out);
    assert.deepEqual([given.jobText, given.fileName, given.baseDir], Object.values(text));
    requireSameJob(given, now);
  } finally {
    await rm(out, { recursive: true });
  }
}

const otherDigest = { jobDigest: `sha256:${'0'.repeat(64)}` } as const;
const { job } = prepared;

it('takes up the same job, and another number of trainers', async () => {
  await against(prepared);
  await against({ ...prepared, job: { ...job, trainers: { ...job.trainers, replicas: 4 } } });
});

for (const { what, now, message } of [
  {
    what: 'a field',
    now: { ...prepared, ...otherDigest, job: { ...job, train: { ...job.train, seed: job.train.seed + 1 } } },
    message: new RegExp(
      `the job has changed: found train\\.seed ${job.train.seed + 1}; expected ${job.train.seed}; a run`,
    ),
  },
  {
    what: 'a field of a stage, beside fields that may differ',
    now: {
      ...prepared,
      ...otherDigest,
      job: {
        ...job,
        name: 'renamed',
        output: { ...job.output, uri: 'file:elsewhere' },
        stages: job.stages.map((stage) => ({ ...stage, learningRate: 0.5 })),
      },
    },
    message: /the job has changed: found stages\.0\.learningRate 0\.5; expected/,
  },
  {
    what: 'the model',
    now: { ...prepared, ...otherDigest, modelDigest: `sha256:${'1'.repeat(64)}` },
    message: /the model .* has changed: found sha256:1+; expected/,
  },
  {
    what: 'the data',
    now: { ...prepared, ...otherDigest },
    message: /the data .* has changed/,
  },
] as const) {
  it(`refuses a job by the name of what has changed: ${what}`, async () => {
    await assert.rejects(against(now as PreparedJob), { code: 'OutputConflict', message });
  });
}

it('says so where no run was begun', async () => {
  await assert.rejects(readGivenJob('/nowhere'), { code: 'OutputConflict', message: /holds no run .*given-job\.json/ });
});
