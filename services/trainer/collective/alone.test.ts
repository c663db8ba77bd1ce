import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tensorLayout } from '@thaw/common/model/tensor-layout.ts';
import { keyedStream } from '@thaw/common/random/stream.ts';
import { reduce } from '../../../test/support/production-step.ts';
import { collectiveAlone, generationAlone } from './alone.ts';

const layout = tensorLayout([
  { name: 'head/bias', shape: [3] },
  { name: 'head/kernel', shape: [700, 3] },
]);
const shards = 5;

test('a member that is alone gets the integers that any number of members would sum up', async () => {
  const collective = collectiveAlone();
  const generation = generationAlone(shards, 'alone');
  await collective.open({ generation, stage: 0, self: 0, layout, tensorSet: 'ab'.repeat(32), shards });
  for (const step of [1, 2, 3]) {
    const gradients = Array.from({ length: shards }, (_, shard) => {
      const stream = keyedStream(step, 'probe', shard);
      return Float32Array.from({ length: layout.length }, () => stream.uniform() - 0.5);
    });
    const contributions = gradients.map((gradient, shard) => {
      collective.gradientBuffer(step, shard).set(gradient);
      return { shard, count: 4, weight: 4, loss: 0.5 + shard, correct: shard };
    });
    const result = await collective.exchange({ step, acknowledgedPlan: 0, shards: contributions });
    const expected = reduce(layout, gradients, { step, weight: 20 });
    assert.deepEqual(result.sums, expected.sums);
    assert.deepEqual(result.exponents, expected.exponents);
    assert.deepEqual([result.weight, result.count, result.loss, result.correct], [20, 20, 12.5, 10]);
    assert.deepEqual(result.bytes, { sent: 0, received: 0 });
  }
  await collective.close();
});

test('a gradient that is no number is named by its tensor', async () => {
  const collective = collectiveAlone();
  const generation = generationAlone(1, 'alone');
  await collective.open({ generation, stage: 0, self: 0, layout, tensorSet: 'ab'.repeat(32), shards: 1 });
  collective.gradientBuffer(1, 0).fill(0)[5] = Number.NaN;
  const shard = { shard: 0, count: 1, weight: 1, loss: 1, correct: 0 };
  const { nonFinite } = await collective.exchange({ step: 1, acknowledgedPlan: 0, shards: [shard] });
  assert.deepEqual(nonFinite, [1]);
  await collective.close();
});
