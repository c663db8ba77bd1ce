import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { stageStepsMax, stepsPerEpoch } from './steps.ts';

test('an epoch has as many steps as it takes until every shard is empty, each giving a micro-batch to a step', () => {
  const shards = fc.array(fc.nat(60), { minLength: 1, maxLength: 9 }).filter((sizes) => sizes.some((size) => size > 0));
  fc.assert(
    fc.property(shards, fc.integer({ min: 1, max: 20 }), (sizes, microBatch) => {
      let left = sizes;
      let steps = 0;
      for (; left.some((size) => size > 0); steps++) left = left.map((size) => size - microBatch);
      assert.equal(stepsPerEpoch(sizes, microBatch), steps);
    }),
  );
});

test('a stage has the steps that it says, or those of its epochs', () => {
  assert.equal(stageStepsMax({ length: { kind: 'steps', steps: 5 } }, 3), 5);
  assert.equal(stageStepsMax({ length: { kind: 'epochs', epochs: 5 } }, 3), 15);
});
