import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tensorLayout } from '@thaw/common/model/tensor-layout.ts';
import { collectiveAlone, generationAlone } from './alone.ts';

const layout = tensorLayout([{ name: 'head/bias', shape: [3] }]);
const opening = {
  generation: generationAlone(1, 'alone'),
  stage: 0,
  self: 0,
  layout,
  tensorSet: 'ab'.repeat(32),
  shards: 1,
};

test('an opening that is overtaken by another one ends, and the other one opens', { timeout: 10_000 }, async () => {
  const collective = collectiveAlone();
  const overtaken = assert.rejects(collective.open(opening), {
    code: 'Cancelled',
    message: 'the opening was given up: the collective was opened anew',
  });
  await collective.open({ ...opening, stage: 1 });
  await overtaken;
  collective.gradientBuffer(1, 0).fill(1);
  const shard = { shard: 0, count: 2, weight: 2, loss: 1, correct: 1 };
  const { count } = await collective.exchange({ step: 1, acknowledgedPlan: 0, shards: [shard] });
  assert.equal(count, 2);
  await collective.close();
});
