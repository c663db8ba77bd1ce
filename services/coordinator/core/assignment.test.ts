import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { assignShards } from './assignment.ts';

const memberSets = fc.uniqueArray(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 8 });
const names = (indices: readonly number[]): string[] => indices.map((i) => `m${String(i).padStart(2, '0')}`).sort();

it('gives everybody the same number of shards, plus or minus one, in contiguous runs', () => {
  fc.assert(
    fc.property(memberSets, fc.integer({ min: 8, max: 64 }), (indices, shards) => {
      const members = names(indices);
      const owners = assignShards(null, members, shards);
      const loads = members.map((member) => owners.filter((owner) => owner === member).length);
      assert.ok(Math.max(...loads) - Math.min(...loads) <= 1);
      assert.deepEqual([...owners], [...owners].sort());
    }),
  );
});

it('moves no more shards than the new loads ask for', () => {
  fc.assert(
    fc.property(memberSets, memberSets, fc.integer({ min: 8, max: 64 }), (before, after, shards) => {
      const previous = assignShards(null, names(before), shards);
      const members = names(after);
      const owners = assignShards(previous, members, shards);
      const moved = owners.filter((owner, shard) => owner !== previous[shard]).length;
      const had = (member: string) => previous.filter((owner) => owner === member).length;
      const has = (member: string) => owners.filter((owner) => owner === member).length;
      const gained = members.reduce((sum, member) => sum + Math.max(0, has(member) - had(member)), 0);
      assert.equal(moved, gained);
      assert.equal(Math.max(...members.map(has)) - Math.min(...members.map(has)) <= 1, true);
    }),
  );
});

it('changes nothing when nobody came or went', () => {
  const members = names([1, 2, 3]);
  const owners = assignShards(null, members, 8);
  assert.deepEqual(assignShards(owners, members, 8), owners);
});
