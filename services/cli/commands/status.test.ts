import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { it, type TestContext } from 'node:test';
import { resultFiles } from '@thaw/coordinator/export/result-files.ts';
import { temporaryFolder } from '../../../test/support/fixtures/temporary-folder.ts';
import { capturedWorld } from '../testing/captured-world.ts';
import { type ServedOptions, serveRun } from '../testing/served-run.ts';
import { statusCommand } from './status.ts';

async function aRun(context: TestContext, options: ServedOptions = {}) {
  const folder = await temporaryFolder(context);
  const world = capturedWorld({ cwd: folder, cacheDirectory: folder });
  const run = await serveRun(context, folder, options);
  const status = (...args: readonly string[]) =>
    statusCommand(world)
      .exitOverride()
      .parseAsync(['out', ...args], { from: 'user' });
  return { run, world, status };
}

const failed = { kind: 'jobFailed', code: 'NonFinite', message: 'the loss became NaN' };

it('says how far a run is, within 80 columns', async (context) => {
  const { world, status } = await aRun(context);
  await status();
  assert.equal(
    world.written(),
    [
      'digits training',
      'stage       2 of 3 "block5"',
      'epoch       3 of at most 12, step 14/24',
      'train       loss 0.4312, accuracy 87.5 %',
      'validation  loss 0.5000, accuracy 85.0 %',
      'progress    41.0 %, 320 samples/s, about 1:23 left',
      'trainers    1 of 2 ready, generation 3',
      'output      out',
      '',
    ].join('\n'),
  );
  assert.equal(world.status(), 0);
});

it('says that a run gathers its trainers, without figures that it does not have', async (context) => {
  const { world, status } = await aRun(context, {
    status: { state: 'Gathering', reason: '0 of 2 trainers ready', generation: 0, trainersReady: 0 },
  });
  await status();
  assert.equal(
    world.written(),
    'digits gathering trainers: 0 of 2 trainers ready\ntrainers    0 of 2 ready\noutput      out\n',
  );
});

it('says the same as JSON', async (context) => {
  const { run, world, status } = await aRun(context);
  await status('--json');
  const { out, running, state, progress } = JSON.parse(world.written());
  assert.deepEqual([out, running, state, progress.stageName], [run.out, true, 'Training', 'block5']);
});

for (const { state, event, said } of [
  {
    state: 'Failed',
    event: failed,
    said: /^digits failed: \[NonFinite\] the loss became NaN\noutput +out\nnext +`thaw /,
  },
  { state: 'Cancelled', event: { kind: 'jobCancelled', reason: 'SIGINT' }, said: /^digits cancelled: SIGINT\n/ },
  { state: 'Failed', event: { kind: 'epochTrained' }, said: /^digits failed\noutput/ },
]) {
  it(`says of a run that is over what its folder says: ${state} by ${event.kind}`, async (context) => {
    const { run, world, status } = await aRun(context);
    await run.close();
    await run.end(state, event);
    await status();
    assert.match(world.written(), said);
    assert.equal(world.status(), 0, 'the question was answered');
  });
}

it('says of a run that has succeeded what its report says', async (context) => {
  const { run, world, status } = await aRun(context);
  await run.close();
  await run.end('Succeeded');
  const test = { loss: 0.25, accuracy: 0.972, macroF1: 0.97, auc: 0.99, count: 500 };
  const report = { weightsDigest: 'sha256:9', test, seconds: { total: 123 } };
  await writeFile(resultFiles(run.out).report, JSON.stringify(report));
  await status();
  assert.equal(
    world.written(),
    [
      'digits succeeded in 2:03',
      'test        loss 0.2500, accuracy 97.2 %, 500 samples',
      'weights     sha256:9',
      'output      out',
      '',
    ].join('\n'),
  );
});

it('says of a run whose coordinator does not listen yet that it is just starting', async (context) => {
  const { run, world, status } = await aRun(context);
  await run.close();
  await status();
  assert.match(world.written(), /^digits is just starting or ending \(process \d+\)\n$/);
});

it('watches a run until it is over: a line at each turn, then how it ended', async (context) => {
  const { run, world, status } = await aRun(context);
  const watched = status('--watch');
  while (world.written() === '') await new Promise((resolve) => setTimeout(resolve, 5));
  await run.end('Failed', failed);
  await watched;
  const [first = '', ...rest] = world.written().split('\n');
  assert.match(first, /^stage 2 of 3 "block5", epoch 3 of at most 12, step 14\/24, .* 1\/2 trainers, about 1:23 left$/);
  assert.match(rest.join('\n'), /^digits failed: \[NonFinite\]/);
  assert.equal(world.status(), 1);
});

it('says once that a run has ended', async (context) => {
  const { run, world, status } = await aRun(context, { status: { state: 'Cancelled' } });
  const watched = status('--watch');
  await run.end('Cancelled', { kind: 'jobCancelled', reason: 'enough' });
  await watched;
  assert.match(world.written(), /^digits cancelled: enough\n/);
});

it('watches as a line of JSON for each change', async (context) => {
  const { run, world, status } = await aRun(context);
  const watched = status('--watch', '--json');
  while (world.written() === '') await new Promise((resolve) => setTimeout(resolve, 5));
  await run.end('Cancelled', { kind: 'jobCancelled', reason: 'enough' });
  await watched;
  const lines = world
    .written()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    lines.map(({ running, state }) => [running, state]),
    [
      [true, 'Training'],
      [false, 'Cancelled'],
    ],
  );
  assert.equal(lines[1]?.message, 'enough');
});
