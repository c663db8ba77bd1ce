import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Grid } from '@thaw/common/model/grid.ts';
import fc from 'fast-check';
import { type Mix, mixOf, mixRows, partnersOf } from './mix.ts';

const place = fc.record({ step: fc.integer({ min: 1, max: 1e6 }), shard: fc.integer({ min: 0, max: 100 }) });
const present = fc.array(fc.boolean(), { minLength: 1, maxLength: 24 });
const rules = { seed: 3, mixup: { alpha: 0.4, at: 'boundary' }, cutmix: null } as const;
const cutRules = { seed: 3, mixup: null, cutmix: { alpha: 1, at: 'pixels' } } as const;

test('every sample that is there is partner of exactly one that is there; the others keep to themselves', () => {
  fc.assert(
    fc.property(place, present, (at, isThere) => {
      const partners = partnersOf(rules, at, isThere);
      assert.deepEqual(
        [...partners].sort((a, b) => a - b),
        [...isThere.keys()],
      );
      for (const [row, partner] of partners.entries()) {
        if (isThere[row]) assert.ok(isThere[partner]);
        else assert.equal(partner, row);
      }
    }),
  );
});

test('what is drawn depends on seed, step and shard, and on nothing else', () => {
  const at = { step: 7, shard: 2 };
  const drawn = (seed: number, where = at) => {
    const of = { ...cutRules, seed };
    return JSON.stringify([mixOf(of, where), [...partnersOf(of, where, new Array<boolean>(16).fill(true))]]);
  };
  const all = [drawn(3), drawn(4), drawn(3, { step: 8, shard: 2 }), drawn(3, { step: 7, shard: 3 })];
  assert.equal(new Set(all).size, 4);
  assert.equal(drawn(3), all[0]);
});

test('a job that mixes nothing draws nothing; one that does both draws each half of the time', () => {
  assert.equal(mixOf({ seed: 3, mixup: null, cutmix: null }, { step: 1, shard: 0 }), null);
  const both = { ...cutRules, mixup: rules.mixup };
  const drawn = Array.from({ length: 400 }, (_, step) => mixOf(both, { step, shard: 0 }) as Mix);
  const cuts = drawn.filter(({ cut }) => cut !== null);
  assert.ok(cuts.length > 150 && cuts.length < 250, `${cuts.length} cuts`);
  for (const { at, cut } of drawn) assert.equal(at, cut ? 'pixels' : 'boundary');
});

const samples = 5;
const length = 12;
/** Row r holds r * 10 everywhere. */
const rowsOf = (): Float32Array =>
  Float32Array.from({ length: samples * length }, (_, i) => Math.floor(i / length) * 10);
const partners = Int32Array.of(1, 0, 3, 4, 2);

test('mixup keeps the sum over all samples and gives each its share', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (wanted) => {
      const rows = rowsOf();
      const share = mixRows(rows, length, { mix: { at: 'boundary', share: wanted, cut: null }, partners, grids: [] });
      for (const [row, partner] of partners.entries()) {
        const mean = share * row * 10 + (1 - share) * partner * 10;
        assert.ok(Math.abs((rows[row * length] as number) - mean) < 1e-4);
      }
      const sum = (values: Float32Array): number => values.reduce((total, value) => total + value, 0);
      assert.ok(Math.abs(sum(rows) - sum(rowsOf())) < 1e-2);
    }),
  );
});

/** Two tensors side by side in a row: [2, 3, 1] and [2, 3, 1]. */
const grids: readonly Grid[] = [
  { offset: 0, height: 2, width: 3, channels: 1 },
  { offset: 6, height: 2, width: 3, channels: 1 },
];

test('a cut takes a box of the partner from every tensor, and the share is the area that is left', () => {
  const part = fc.double({ min: 0, max: 0.999, noNaN: true });
  fc.assert(
    fc.property(
      fc.record({ share: fc.double({ min: 0, max: 1, noNaN: true }), x: part, y: part }),
      ({ share, ...cut }) => {
        const rows = rowsOf();
        const kept = mixRows(rows, length, { mix: { at: 'boundary', share, cut }, partners, grids });
        for (const [row, partner] of partners.entries()) {
          for (const { offset } of grids) {
            const cells = [...rows.subarray(row * length + offset, row * length + offset + 6)];
            const own = cells.filter((cell) => cell === row * 10).length;
            assert.equal(own + cells.filter((cell) => cell === partner * 10).length, 6);
            assert.equal(Math.fround(own / 6), kept);
            const inside = cells.flatMap((cell, i) =>
              cell === partner * 10 ? [[i % 3, Math.floor(i / 3)] as const] : [],
            );
            const spans = [0, 1].map((axis) => new Set(inside.map((at) => at[axis])).size);
            assert.equal(inside.length, (spans[0] ?? 0) * (spans[1] ?? 0), 'a box');
          }
        }
      },
    ),
  );
});

test('a box about the middle has the area that was drawn', () => {
  const side = 200;
  const grid = { offset: 0, height: side, width: side, channels: 1 };
  for (const share of [0, 0.25, 0.5, 0.9, 1]) {
    const mix: Mix = { at: 'pixels', share, cut: { x: 0.5, y: 0.5 } };
    const rows = new Uint8Array(2 * side * side);
    const kept = mixRows(rows, side * side, { mix, partners: Int32Array.of(1, 0), grids: [grid] });
    assert.ok(Math.abs(kept - share) < 0.02, `${kept}`);
  }
});

test('mixed bytes are rounded to the nearest', () => {
  const rows = Uint8Array.of(10, 13);
  const share = mixRows(rows, 1, {
    mix: { at: 'pixels', share: 0.75, cut: null },
    partners: Int32Array.of(1, 0),
    grids: [],
  });
  assert.deepEqual([share, ...rows], [0.75, 11, 12]);
});
