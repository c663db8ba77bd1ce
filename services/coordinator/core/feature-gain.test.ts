import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FeatureWork__Output } from '@thaw/proto/gen/thaw/v1/FeatureWork.ts';
import { addFeatureWork, noFeatureGain } from './feature-gain.ts';

const work: FeatureWork__Output = {
  computed: 2,
  read: 10,
  misses: 1,
  corrupt: 0,
  memoryBytes: 100,
  writtenBytes: 50,
  savedSeconds: 0.5,
  proved: 32,
  choices: [],
  memoryHits: 8,
  diskHits: 4,
};

test('what members did adds up; memory is the most that they held at once', () => {
  const first = addFeatureWork(noFeatureGain, [work, { ...work, memoryBytes: 300 }]);
  const both = addFeatureWork(first, [{ ...work, corrupt: 1 }]);
  assert.deepEqual(both, {
    computed: 6,
    read: 30,
    fromMemory: 24,
    fromDisk: 12,
    misses: 3,
    corrupt: 1,
    memoryBytes: 400,
    writtenBytes: 150,
    savedSeconds: 1.5,
    proved: 96,
    choices: [],
  });
});

test('choices of one boundary are one entry with the mean times, other choices others', () => {
  const reading = { level: 'pool', reads: true, otherBits: false, readSeconds: 1, computeSeconds: 10 };
  const computing = { ...reading, reads: false, readSeconds: 4 };
  const first = addFeatureWork(noFeatureGain, [
    { ...work, choices: [reading, computing] },
    { ...work, choices: [{ ...reading, readSeconds: 2, computeSeconds: 20 }] },
  ]);
  const { choices } = addFeatureWork(first, [
    {
      ...work,
      choices: [
        { ...reading, readSeconds: 3, computeSeconds: 30 },
        { ...computing, otherBits: true },
      ],
    },
  ]);
  const read = { level: 'pool', chosen: 'read', otherBits: false, times: 3, readSeconds: 2, computeSeconds: 20 };
  const computed = { ...read, chosen: 'compute', times: 1, readSeconds: 4, computeSeconds: 10 };
  assert.deepEqual(choices, [read, computed, { ...computed, otherBits: true }]);
});
