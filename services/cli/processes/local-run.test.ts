import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { it } from 'node:test';
import { temporaryFolder } from '../../../test/support/fixtures/temporary-folder.ts';
import { writeTinyJob } from '../../../test/support/fixtures/tiny-job.ts';
import { skipWithoutEngine } from '../../../test/support/needed-parts.ts';
import { killAll, type Relative, startThaw, until } from '../../../test/support/thaw-process.ts';

it('gives the secrets of S3 to the coordinator and to nobody else', {
  skip: await skipWithoutEngine(),
}, async (context) => {
  const folder = await temporaryFolder(context);
  await writeTinyJob(folder);
  const env = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'hunter2' };
  const thaw = await startThaw(['run', 'job.yaml'], { cwd: folder, env });
  try {
    const family = await until(thaw, async () => {
      const found = (await thaw.family()).filter(({ role }) => role !== 'other');
      return found.some(({ role }) => role === 'trainer') ? found : undefined;
    });
    const knows: Partial<Record<Relative['role'], boolean>> = {};
    for (const { pid, role } of family) {
      knows[role] = (await readFile(`/proc/${pid}/environ`, 'latin1')).includes('hunter2');
    }
    assert.deepEqual(knows, { coordinator: true, 'nats-server': false, trainer: false });
  } finally {
    await killAll(thaw);
  }
});
