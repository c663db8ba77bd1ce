import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assignParts, evaluationParts, partsOwnedBy } from './evaluation-parts.ts';

test('parts cover every row once and start at whole blocks', () => {
  for (const samples of [0, 1, 31, 32, 33, 300, 5000, 70_001]) {
    const parts = evaluationParts(samples, 32);
    assert.deepEqual(
      parts.flat(),
      Array.from({ length: samples }, (_, i) => i),
    );
    for (const rows of parts) assert.equal((rows[0] as number) % 32, 0);
    assert.ok(parts.length <= 64);
  }
});

test('parts are spread over the members in runs, and each member knows its own rows', () => {
  assert.deepEqual(assignParts(5, 2), [0, 0, 0, 1, 1]);
  assert.deepEqual(assignParts(1, 3), [0]);
  const parts = [[0, 1], [2, 3], [4]];
  const owned = [0, 1].map((member) => [...partsOwnedBy(member, assignParts(3, 2), parts)]);
  assert.deepEqual(owned, [
    [
      [0, [0, 1]],
      [1, [2, 3]],
    ],
    [[2, [4]]],
  ]);
});
