import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { tensorLayout } from '@thaw/common/model/tensor-layout.ts';
import { generationAlone, serveAlone } from './alone.ts';
import { collectiveClient } from './client.ts';
import type { FromHost, ToHost } from './messages.ts';

const layout = tensorLayout([{ name: 'head/bias', shape: [3] }]);
const opening = {
  generation: generationAlone(1, 'alone'),
  stage: 0,
  self: 0,
  layout,
  tensorSet: 'ab'.repeat(32),
  shards: 1,
};

test('an opening that is overtaken by another one ends, and the other one opens', {
  timeout: 30_000,
}, async (context) => {
  const { port1, port2 } = new MessageChannel();
  serveAlone(port2);
  const collective = collectiveClient(port1);
  // What is still open when this fails would keep the process for ever.
  context.after(() => {
    port1.postMessage({ kind: 'close' } satisfies ToHost);
    port1.close();
  });
  const overtaken = assert.rejects(collective.open(opening), {
    code: 'Cancelled',
    message: 'the opening was given up: the collective was opened anew',
  });
  const other = collective.open({ ...opening, stage: 1 });
  await overtaken;
  await other;
  collective.gradientBuffer(1, 0).fill(1);
  const shard = { shard: 0, count: 2, weight: 2, loss: 1, correct: 1 };
  const { count } = await collective.exchange({ step: 1, acknowledgedPlan: 0, shards: [shard] });
  assert.equal(count, 2);
  await collective.close();
});

test('a failure that comes while it closes leaves it closed', { timeout: 30_000 }, async (context) => {
  const { port1, port2 } = new MessageChannel();
  context.after(() => port1.close());
  port2.on('message', (message: ToHost) => {
    const answer: FromHost =
      message.kind === 'open'
        ? { kind: 'opened', opening: message.opening.opening }
        : { kind: 'failed', code: 'BrokerLost', message: 'the broker is gone' };
    port2.postMessage(answer);
  });
  const collective = collectiveClient(port1);
  await collective.open(opening);
  await collective.close();
  await assert.rejects(collective.open(opening), { code: 'BrokerLost' });
});
