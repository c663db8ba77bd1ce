import assert from 'node:assert/strict';
import { it } from 'node:test';
import { temporaryFolder } from '../../../test/support/fixtures/temporary-folder.ts';
import { capturedWorld } from '../testing/captured-world.ts';
import { serveRun } from '../testing/served-run.ts';
import { cancelCommand } from './cancel.ts';

for (const { what, args, state, event, asked, written, complaints, status } of [
  {
    what: 'waits until the run has ended, and says how it goes on',
    args: [],
    state: 'Cancelled',
    event: { kind: 'snapshotStored', step: 7 },
    asked: 'cancel: cancelled by its user',
    written: /^digits: cancelled; `thaw run --resume out` goes on after step 7\n$/,
    complaints: /^$/,
    status: 0,
  },
  {
    what: 'gives the reason, and answers in JSON',
    args: ['--reason', 'the data was wrong', '--json'],
    state: 'Cancelled',
    event: { kind: 'jobCancelled', reason: 'the data was wrong' },
    asked: 'cancel: the data was wrong',
    written: /"state": "Cancelled",\n.*\n +"message": "the data was wrong"/,
    complaints: /^$/,
    status: 0,
  },
  {
    what: 'says when the run had ended otherwise first',
    args: [],
    state: 'Failed',
    event: { kind: 'jobFailed', code: 'NonFinite', message: 'NaN' },
    asked: 'cancel: cancelled by its user',
    written: /^$/,
    complaints: /^digits: not cancelled, because it ended first: failed\n$/,
    status: 1,
  },
]) {
  it(what, async (context) => {
    const folder = await temporaryFolder(context);
    const world = capturedWorld({ cwd: folder, cacheDirectory: folder });
    const told: string[] = [];
    const run = await serveRun(context, folder, {
      view: {
        cancel(reason) {
          told.push(`cancel: ${reason}`);
          setImmediate(() => void run.end(state, event));
        },
      },
    });
    await cancelCommand(world)
      .exitOverride()
      .parseAsync(['out', ...args], { from: 'user' });
    assert.deepEqual(told, [asked]);
    assert.match(world.written(), written);
    assert.match(world.complaints(), complaints);
    assert.equal(world.status(), status);
  });
}
