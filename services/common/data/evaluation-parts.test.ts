import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluationParts } from './evaluation-parts.ts';

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
