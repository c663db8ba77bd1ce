// What `thaw plan` says of stages whose blocks are measured while the job runs.

import assert from 'node:assert/strict';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../../test/support/fixtures/temporary-folder.ts';
import { aTinyJob, writeTinyJob } from '../../../test/support/fixtures/tiny-job.ts';
import { planSummary } from './plan-summary.ts';
import { prepareJob } from './prepare-job.ts';

test('a stage of ranked blocks is planned by bounds, and its boundary is not foreseen', async (context) => {
  const folder = await temporaryFolder(context);
  await writeTinyJob(folder, { images: { perClass: 20 } });
  const schedule = { preset: 'auto', stages: undefined };
  const planned = (changes: object) =>
    prepareJob({
      jobText: aTinyJob({ spec: { train: { schedule, ...changes } } }),
      fileName: 'job.yaml',
      baseDir: folder,
      cacheDirectory: path.join(os.tmpdir(), 'none'),
    });
  const { stages } = planSummary(await planned({}));
  const [head, one, , all] = stages;
  assert.deepEqual(
    stages.map(({ ranked }) => ranked?.blocks),
    [undefined, 1, 2, 3],
  );
  assert.equal(one?.ranked?.measuredAfter, 'head');
  assert.deepEqual(one?.trainableLayers, head?.trainableLayers, 'only the head is sure');
  assert.ok((one?.ranked?.parametersMin ?? 0) < (one?.trainableParameters ?? 0));
  assert.equal(all?.ranked?.parametersMin, all?.trainableParameters, 'all three blocks are all there are');
  assert.deepEqual([one?.cacheBytes, one?.storedBefore], [0, false]);
  assert.equal(one?.trainerBytesAtMin, all?.trainerBytesAtMin, 'the measurement differentiates every block');
  await assert.rejects(
    planned({ cutmix: { at: 'boundary' } }),
    /spec\.train\.cutmix\.at: found boundary, but where stage "ranked-1"/,
  );
});
