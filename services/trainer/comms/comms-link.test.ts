import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../../test/support/fixtures/temporary-folder.ts';
import { startComms } from './comms-link.ts';

test('a comms thread that died ends what waits for it, and closing does not wait', async (context) => {
  const cacheDirectory = await temporaryFolder(context);
  const link = await startComms({
    coordinator: '127.0.0.1:1',
    name: 'trainer-0',
    incarnation: '00000000000000aa',
    logFile: path.join(cacheDirectory, 'log.jsonl'),
    cacheDirectory,
  });
  const waiting = assert.rejects(link.welcome(), {
    code: 'Internal',
    message: /the comms thread failed: .*(observation|seconds|undefined)/,
  });
  // A message that the thread cannot read ends it.
  link.observe({ kind: 'step' } as Parameters<typeof link.observe>[0]);
  await waiting;
  await link.close();
});
