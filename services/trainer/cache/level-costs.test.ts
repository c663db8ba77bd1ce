import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noFeatureCounts, takeCounts } from './feature-counts.ts';
import type { FeatureStore } from './feature-store.ts';
import { type CostsByLevel, costsOf, type LevelCosts, savingsOf } from './level-costs.ts';
import { choiceText, proveLevel } from './proof.ts';

const unmeasured = { seconds: 0, rows: 0 };
const second = { seconds: 10, rows: 10 };
const level = { key: 'a', name: 'a', rowBytes: 4 };

const cases: readonly [what: string, costs: Partial<LevelCosts>, samples: number, seconds: number][] = [
  ['each use but the one it was computed for', { fromPixels: second, served: 30, filled: 10 }, 20, 20],
  ['less what reading took', { fromPixels: second, served: 30, readSeconds: 5 }, 30, 25],
  ['never less than nothing', { fromPixels: second, served: 3, readSeconds: 5 }, 3, 0],
  ['nothing for what was only computed', { fromPixels: second, served: 0, filled: 10 }, 0, 0],
  ['from a boundary where nobody came from pixels', { fromHeld: { seconds: 1, rows: 10 }, served: 30 }, 30, 3],
  [
    'from pixels, where both were measured',
    { fromPixels: second, fromHeld: { seconds: 1, rows: 10 }, served: 3 },
    3,
    3,
  ],
  ['no seconds for what was never measured', { served: 30, readSeconds: 1 }, 30, 0],
];

for (const [what, given, samples, seconds] of cases) {
  test(`savings: ${what}`, () => {
    const costs: CostsByLevel = new Map();
    Object.assign(costsOf(costs, level), { fromPixels: unmeasured, ...given });
    assert.deepEqual(savingsOf(costs), { samples, seconds });
  });
}

test('a level does not pay for the reading of another', () => {
  const costs: CostsByLevel = new Map();
  Object.assign(costsOf(costs, level), { fromPixels: second, served: 2 });
  Object.assign(costsOf(costs, { key: 'b' }), { served: 1, readSeconds: 100 });
  assert.deepEqual(savingsOf(costs), { samples: 3, seconds: 2 });
});

test('the proof of a level that lies on disk measures what computing its rows takes, and says what is chosen', async () => {
  const costs = costsOf(new Map(), level);
  const counts = noFeatureCounts();
  const row = new Uint8Array(Float32Array.of(7).buffer);
  const disk = { isProven: () => false, has: () => true, read: () => row, prove: () => {}, leave: () => {} };
  const said: string[] = [];
  const prove = (found: number) =>
    proveLevel(
      level,
      [0, 1, 2].map((index) => ({ set: 'train', index, view: 0 }) as const),
      {
        store: { disk } as unknown as FeatureStore,
        counts,
        costs,
        blockSize: 2,
        loadBlock: async () => ({ pixels: new Uint8Array(2), present: [true, true] }),
        fromPixels: () => Float32Array.of(7, found),
        fromLevel: (rows) => new Float32Array(rows.buffer),
        say: (choice) => said.push(choiceText(choice)),
      },
    );
  await prove(7);
  await prove(8);
  assert.equal(costs.fromPixels.rows, 4);
  assert.ok(costs.fromPixels.seconds > 0);
  assert.deepEqual(
    counts.choices.map(({ otherBits }) => otherBits),
    [false, true],
  );
  assert.equal(counts.choices[1]?.reads, false);
  assert.match(
    said[0] ?? '',
    /^features at a are (read from disk|computed): reading takes [\d.]+ ms a sample, computing/,
  );
  assert.match(said[1] ?? '', /^features at a are computed: what lies on disk has other bits/);
  assert.equal(takeCounts(counts).proved, 4);
  assert.deepEqual([counts.proved, counts.choices], [0, []]);
});
