import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addFeatureWork, noFeatureGain } from './feature-gain.ts';

test('what members did adds up; memory is the most that they held at once', () => {
  const work = { computed: 2, read: 10, misses: 1, corrupt: 0, memoryBytes: 100, writtenBytes: 50, savedSeconds: 0.5 };
  const first = addFeatureWork(noFeatureGain, [work, { ...work, memoryBytes: 300 }]);
  const both = addFeatureWork(first, [{ ...work, corrupt: 1 }]);
  assert.deepEqual(both, {
    computed: 6,
    read: 30,
    misses: 3,
    corrupt: 1,
    memoryBytes: 400,
    writtenBytes: 150,
    savedSeconds: 1.5,
  });
});
