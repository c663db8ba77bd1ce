import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, it } from 'node:test';
import { writeImages } from '../../../test/support/fixtures/tiny-images.ts';
import { aTinyJob, writeTinyJob } from '../../../test/support/fixtures/tiny-job.ts';
import { capturedWorld } from '../testing/captured-world.ts';
import { planCommand } from './plan.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'thaw-plan-'));
  await writeTinyJob(folder, { images: { perClass: 12 } });
  await writeImages(path.join(folder, 'old'), { perClass: 2, classes: ['0', '1', '2', '3', '4'] });
});
after(() => rm(folder, { recursive: true, force: true }));

async function plan(spec: object, ...flags: string[]): Promise<string> {
  await writeFile(path.join(folder, 'job.yaml'), aTinyJob({ spec: { ...spec } }));
  const world = capturedWorld({ cwd: folder, cacheDirectory: path.join(folder, 'cache') });
  await planCommand(world).parseAsync(['job.yaml', ...flags], { from: 'user' });
  return world.written();
}

const all = ['head/**', 'backbone/**'];
const stages = [
  { name: 'still', trainable: ['head/**'], epochs: 1 },
  { name: 'measured', trainable: ['head/**'], epochs: 1, batchNorm: 'adapt' },
  { name: 'moving', trainable: all, epochs: 1, batchNorm: 'train' },
];

it('says what each stage does with moving statistics', async () => {
  const text = await plan({ train: { schedule: { stages } } });
  assert.deepEqual(text.match(/^ {3}batchNorm .*$/gm), [
    '   batchNorm    frozen',
    '   batchNorm    adapt: statistics of 2 layers are measured over the training set first',
    '   batchNorm    train: statistics of 2 layers move',
  ]);
  const { stages: found } = JSON.parse(await plan({ train: { schedule: { stages } } }, '--json')) as {
    readonly stages: readonly { readonly batchNorm: string }[];
  };
  assert.deepEqual(
    found.map(({ batchNorm }) => batchNorm),
    ['frozen', 'adapt', 'train'],
  );
});

it('says which old task is watched, and by which rule', async () => {
  const source = 'file:old';
  const oldTask = async (retention: object | undefined): Promise<string | undefined> =>
    /^old task.*$/m.exec(await plan({ retention }))?.[0];
  assert.equal(await oldTask(undefined), undefined);
  assert.equal(await oldTask({ source }), 'old task file:old, 10 samples of 5 classes, only watched');
  assert.equal(
    await oldTask({ source, maxDrop: 0.055 }),
    'old task file:old, 10 samples of 5 classes; a stage ends when accuracy falls by more than 5.5 points',
  );
  const { oldTask: found } = JSON.parse(await plan({ retention: { source } }, '--json')) as {
    readonly oldTask: object;
  };
  assert.deepEqual(found, { source, samples: 10, classes: 5, maxDrop: null, onExceed: 'stop' });
});
