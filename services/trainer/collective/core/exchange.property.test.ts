import assert from 'node:assert/strict';
import { test } from 'node:test';
import { philox } from '@thaw/common/random/stream.ts';
import fc from 'fast-check';
import { bigSum } from '../../../../test/support/big-sum.ts';
import { type NetworkOptions, type NetworkResult, runNetwork } from '../../../../test/support/exchange-network.ts';
import { geometryDefaults } from './geometry.ts';

/** Small frames and slices, so that short vectors have many of each. */
const smallGeometry = { ...geometryDefaults, sliceBytesMin: 64, frameBytes: 32 };
const noFaults = { drop: 0, repeat: 0, spoil: 0, forge: 0 };

function aRun(seed: number, changes: Partial<NetworkOptions> & { members: number; tensorLengths: number[] }) {
  const { uniform } = philox(seed, 1);
  const shards = changes.shardOwners?.length ?? changes.members;
  const steps = changes.steps ?? 3;
  const length = changes.tensorLengths.reduce((total, tensor) => total + tensor, 0);
  const gradient = (): Float32Array => {
    const magnitude = 2 ** Math.floor(uniform() * 60 - 40);
    return Float32Array.from({ length }, () => (uniform() < 0.1 ? 0 : (uniform() - 0.5) * magnitude));
  };
  return {
    shardOwners: Array.from({ length: shards }, (_, shard) => shard % changes.members),
    steps,
    geometry: smallGeometry,
    gradients: Array.from({ length: steps }, () => Array.from({ length: shards }, gradient)),
    faults: noFaults,
    faultyDeliveries: 20_000,
    random: uniform,
    ...changes,
  } satisfies NetworkOptions;
}

function assertExact(options: NetworkOptions, { members }: NetworkResult): void {
  for (const [step, shards] of options.gradients.entries()) {
    let offset = 0;
    for (const [tensor, length] of options.tensorLengths.entries()) {
      const { exponent, sums } = bigSum(shards.map((shard) => shard.subarray(offset, offset + length)));
      for (const { sums: held, outcomes } of members) {
        assert.equal(outcomes[step]?.exponents[tensor], exponent);
        const found = Array.from(held[step]?.subarray(offset, offset + length) ?? [], BigInt);
        assert.deepEqual(found, sums);
      }
      offset += length;
    }
    const [first, ...others] = members.map(({ outcomes }) => outcomes[step]);
    for (const other of others) assert.deepEqual(other, first);
    assert.equal(first?.weight, shards.length);
    const all = BigInt(shards.length);
    const numbers = (all * (all - 1n)) / 2n;
    assert.deepEqual(first?.statistics, BigInt64Array.of(all * 2n ** 55n + numbers, -3n * numbers));
  }
}

const shapes = fc.record({
  seed: fc.integer({ min: 0, max: 2 ** 31 }),
  members: fc.integer({ min: 1, max: 8 }),
  moreShards: fc.integer({ min: 0, max: 5 }),
  tensorLengths: fc.array(fc.integer({ min: 0, max: 90 }), { minLength: 1, maxLength: 5 }),
});

test('any number of members holds the sum that BigInt arithmetic gives', () => {
  fc.assert(
    fc.property(shapes, ({ seed, members, moreShards, tensorLengths }) => {
      const shardOwners = Array.from({ length: members + moreShards }, (_, shard) => (shard * 5) % members);
      const options = aRun(seed, { members, tensorLengths, shardOwners });
      assertExact(options, runNetwork(options));
    }),
    { numRuns: 100 },
  );
});

test('lost, repeated, reordered, spoiled and forged frames change nothing, and it ends once faults stop', () => {
  const chance = fc.double({ min: 0, max: 0.4, noNaN: true });
  const faults = fc.record({ drop: chance, repeat: chance, spoil: chance, forge: chance });
  fc.assert(
    fc.property(shapes, faults, ({ seed, members, tensorLengths }, chances) => {
      const options = aRun(seed, { members, tensorLengths, faults: chances, faultyDeliveries: 2000 });
      assertExact(options, runNetwork(options));
    }),
    { numRuns: 100 },
  );
});

test('the sums do not depend on how many members share the shards', () => {
  const gradients = aRun(5, { members: 8, tensorLengths: [40, 1, 77] }).gradients;
  const sums = [1, 2, 3, 5, 8].map((members) => {
    const shardOwners = Array.from({ length: 8 }, (_, shard) => shard % members);
    const result = runNetwork(aRun(members, { members, tensorLengths: [40, 1, 77], shardOwners, gradients }));
    return result.members[0]?.sums.map((step) => [...step]);
  });
  for (const other of sums) assert.deepEqual(other, sums[0]);
});

test('one member sends nothing', () => {
  const options = aRun(3, { members: 1, tensorLengths: [50, 7] });
  const result = runNetwork(options);
  assertExact(options, result);
  assert.equal(result.sentBytes, 0);
});

test('every kind of forged frame is counted by its reason', () => {
  const faults = { drop: 0, repeat: 0, spoil: 0.1, forge: 1 };
  const result = runNetwork(aRun(11, { members: 3, tensorLengths: [300], faults }));
  const reasons = new Set(result.members.flatMap(({ refused }) => [...refused.keys()]));
  for (const reason of ['foreignToken', 'unknownIncarnation', 'staleGeneration', 'aheadStep', 'staleStep', 'corrupt']) {
    assert.ok(reasons.has(reason), `${reason} is missing of ${[...reasons]}`);
  }
});

test('NaN or infinity in one shard is named by every member, and nothing is reduced', () => {
  const options = aRun(2, { members: 3, tensorLengths: [5, 6, 7], steps: 1 });
  const [shard] = options.gradients[0] as Float32Array[];
  (shard as Float32Array)[6] = Number.NaN;
  (shard as Float32Array)[17] = Number.NEGATIVE_INFINITY;
  const { members } = runNetwork(options);
  for (const { outcomes } of members) assert.deepEqual(outcomes[0]?.nonFinite, [1, 2]);
});

test('gradients of nothing but zeros are known to add up to zero: only announcements travel', () => {
  const zeros = [[new Float32Array(900), new Float32Array(900)]];
  const options = aRun(4, { members: 2, tensorLengths: [600, 300], steps: 1, gradients: zeros });
  const result = runNetwork(options);
  assertExact(options, result);
  assert.equal(result.deliveries, 2);
});

test('members that do not measure the same statistics break the protocol', () => {
  const options = aRun(4, { members: 2, tensorLengths: [3], steps: 1 });
  assert.throws(() => runNetwork({ ...options, measures: (shard) => (shard === 0 ? 2 : 1) }), {
    code: 'ProtocolViolation',
    message: /step 1 with [12] and [12] statistics; expected one number/,
  });
});
