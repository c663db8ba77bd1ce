// The range test of a real job: the loss falls, then breaks; the same twice; and nothing is left of it.

import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { writeTinyJob } from '../support/fixtures/tiny-job.ts';
import { runThaw, startThaw, until } from '../support/thaw-process.ts';

interface Found {
  readonly ended: string;
  readonly suggestion: number | null;
  readonly points: readonly { readonly learningRate: number; readonly loss: number; readonly smoothedLoss: number }[];
}

describe('thaw lr-find', () => {
  let folder = '';
  let env: NodeJS.ProcessEnv = {};
  let found: Found | null = null;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'thaw-lr-find-'));
    env = { THAW_CACHE: path.join(folder, 'cache') };
    await writeTinyJob(folder, { changes: { spec: { trainers: { engine: 'wasm' } } } });
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('shows a loss that falls and then diverges, and suggests a rate before that', async () => {
    const { status, stdout, stderr } = await runThaw(['lr-find', 'job.yaml', '--to', '1e4', '--json'], {
      cwd: folder,
      env,
    });
    assert.equal(status, 0, stderr);
    found = JSON.parse(stdout) as Found;
    const { points, suggestion, ended } = found;
    const smoothed = points.map(({ smoothedLoss }) => smoothedLoss);
    const least = smoothed.indexOf(Math.min(...smoothed));
    assert.equal(ended, 'diverged');
    assert.ok(points.length < 100, `${points.length} steps`);
    assert.ok((smoothed[least] as number) < 0.95 * (smoothed[0] as number), 'the loss falls');
    assert.ok((smoothed.at(-1) as number) > 4 * (smoothed[least] as number), 'and diverges');
    assert.ok(suggestion !== null && suggestion > 1e-4 && suggestion < (points[least]?.learningRate ?? 0));
  });

  it('finds the same in the same steps of another run, and prints it', async () => {
    const { status, stdout } = await runThaw(['lr-find', 'job.yaml', '--to', '1e4'], { cwd: folder, env });
    assert.equal(status, 0);
    assert.match(stdout, new RegExp(`${found?.points.length} of 100 steps of 32 samples`));
    assert.match(stdout, new RegExp(`Suggestion: learningRate ${found?.suggestion},`));
  });

  it('is stopped by Ctrl-C without a trace', async () => {
    const thaw = await startThaw(['lr-find', 'job.yaml', '--steps', '10000', '--to', '1e-6'], { cwd: folder, env });
    await until(thaw, async () => ((await thaw.family()).length > 0 ? true : undefined));
    thaw.kill('SIGINT');
    assert.notEqual((await thaw.ended).status, 0);
    const gone = async () => (await thaw.family()).length === 0;
    for (let tries = 0; tries < 100 && !(await gone()); tries++)
      await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(await thaw.family(), []);
    assert.deepEqual(await thaw.temporaryFiles(), []);
  });

  it('writes nothing: no output folder, no cache', async () => {
    const entries = (await readdir(folder)).filter((name) => !name.startsWith('tmp-')).sort();
    assert.deepEqual(entries, ['images', 'job.yaml', 'model']);
  });
});
