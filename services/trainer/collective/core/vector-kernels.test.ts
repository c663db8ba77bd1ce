import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { roundedInteger } from '../../../../test/support/big-sum.ts';
import { scaleExponent } from './scale.ts';
import { dequantiseRange, largestMagnitude, quantiseSum, writeSum } from './vector-kernels.ts';

const bitsOf = (value: number): number => new Int32Array(Float32Array.of(value).buffer)[0] as number;
const floatOf = (bits: number): number => new Float32Array(Int32Array.of(bits).buffer)[0] as number;
const infinityBits = 0x7f800000;
const shardCounts = [1, 2, 3, 8, 1000, 4096];
/** Odd starts, single elements, and more than one block of 16,384. */
const ranges = [
  [0, 0],
  [0, 1],
  [1, 2],
  [3, 20],
  [2, 19],
  [1, 16_384],
  [0, 16_384],
  [1, 16_386],
  [7, 40_000],
] as const;

/** In memory shared between threads, as in training, with room around that has to stay as it is. */
function sharedFloats(values: Iterable<number>): Float32Array {
  const list = Float32Array.from(values);
  const shared = new Float32Array(new SharedArrayBuffer(list.byteLength));
  shared.set(list);
  return shared;
}

/** Numbers whose scaled values lie on ties, just beside them, on whole numbers, and at the smallest magnitudes. */
function delicate(exponent: number, largest: number): number[] {
  const unit = 2 ** -exponent;
  const scaled = [0, 0.5, 1, 1.5, 2.5, 3.5, 255.5, 4194303.5, 4194304.5, 8388607, 2 ** 25, 2 ** 29].flatMap((value) => {
    const bits = bitsOf(Math.fround(value * unit));
    return [bits - 1, bits, bits + 1].filter((beside) => beside >= 0).map(floatOf);
  });
  const denormals = [1, 2, 3, 0x7fffff, 0x800000, 0x800001].map(floatOf);
  const positive = [...scaled, ...denormals, largest].filter((value) => value <= largest);
  return positive.flatMap((value) => [value, -value]);
}

function eachExponent(visit: (exponent: number, largest: number) => void): void {
  for (let power = 0; power < 255; power++) {
    for (const mantissa of [1, 0x400000, 0x7fffff]) {
      const bits = (power << 23) | mantissa;
      for (const shards of shardCounts) visit(scaleExponent(bits, shards), floatOf(bits));
    }
  }
}

test('quantising gives the integers of BigInt arithmetic at every exponent, ties and denormals included', () => {
  const seen = new Set<number>();
  eachExponent((exponent, largest) => {
    seen.add(exponent);
    const gradient = sharedFloats(delicate(exponent, largest));
    const target = new Int32Array(gradient.length);
    quantiseSum(target, [gradient], { start: 0, end: gradient.length, exponent });
    for (const [i, value] of gradient.entries()) {
      assert.equal(BigInt(target[i] as number), roundedInteger(value, exponent), `${value} x 2^${exponent}`);
    }
  });
  assert.ok(Math.min(...seen) === -110 && Math.max(...seen) === 125, `exponents ${Math.min(...seen)} to 125`);
});

test('dequantising rounds once, at every exponent', () => {
  const sums = [0, 1, 2, 3, 2 ** 24 - 1, 2 ** 24 + 1, 2 ** 24 + 3, 2 ** 25 + 2, 2 ** 25 + 6, 2 ** 30 - 1, 2 ** 30];
  const signed = Int32Array.from(sums.flatMap((sum) => [sum, -sum]));
  const target = new Float32Array(signed.length);
  for (let exponent = -110; exponent <= 125; exponent++) {
    dequantiseRange(target, signed, { start: 0, end: signed.length, exponent });
    for (const [i, sum] of signed.entries()) {
      assert.equal(target[i], Math.fround(sum * 2 ** -exponent), `${sum} x 2^-${exponent}`);
    }
  }
});

const anyGradient = fc.array(fc.integer({ min: 0, max: infinityBits - 1 }), { minLength: 1, maxLength: 50 });

test('several shards add up to the sum of their single integers, whatever their magnitudes', () => {
  fc.assert(
    fc.property(fc.array(anyGradient, { minLength: 1, maxLength: 4 }), fc.nat(), (bits, signs) => {
      const length = Math.min(...bits.map((shard) => shard.length));
      const sign = (i: number): number => ((signs >> (i % 31)) & 1 ? -1 : 1);
      const shards = bits.map((shard) =>
        sharedFloats(shard.slice(0, length).map((value, i) => sign(i) * floatOf(value))),
      );
      const largest = Math.max(...shards.map((shard) => largestMagnitude(shard, 0, length)));
      assert.equal(largest, Math.max(...bits.flatMap((shard) => shard.slice(0, length))));
      const exponent = scaleExponent(largest, shards.length);
      const target = new Int32Array(length);
      quantiseSum(target, shards, { start: 0, end: length, exponent });
      const wanted = target.map((_, i) =>
        Number(shards.reduce((sum, shard) => sum + roundedInteger(shard[i] as number, exponent), 0n)),
      );
      assert.deepEqual(target, wanted);
    }),
    { numRuns: 300 },
  );
});

for (const [start, end] of ranges) {
  test(`[${start}, ${end}) is covered, and nothing beside it`, () => {
    const length = 40_010;
    const gradient = sharedFloats(Array.from({ length }, (_, i) => ((i * 7919) % 2003) - 1001.5));
    const integers = Int32Array.from(gradient, (value) => Number(roundedInteger(value, 3)));
    const inside = (i: number): boolean => i >= start && i < end;

    const target = new Int32Array(new SharedArrayBuffer(length * 4)).fill(-77);
    quantiseSum(target, [gradient, gradient], { start, end, exponent: 3 });
    assert.deepEqual(
      [...target],
      [...integers].map((q, i) => (inside(i) ? 2 * q : -77)),
    );

    writeSum(target, start, target.subarray(start, end), integers.subarray(start, end));
    assert.deepEqual(
      [...target],
      [...integers].map((q, i) => (inside(i) ? 3 * q : -77)),
    );

    const floats = new Float32Array(length).fill(0.25);
    dequantiseRange(floats, target, { start, end, exponent: 1 });
    assert.deepEqual(
      [...floats],
      [...integers].map((q, i) => (inside(i) ? (3 * q) / 2 : 0.25)),
    );
  });

  test(`the largest magnitude of [${start}, ${end}) is found at both its ends, and not beside it`, () => {
    for (const at of new Set([start, end - 1])) {
      const gradient = sharedFloats(new Float32Array(40_010).fill(1));
      if (start > 0) gradient[start - 1] = 5;
      gradient[end] = 5;
      if (start < end) gradient[at] = -3;
      assert.equal(largestMagnitude(gradient, start, end), start < end ? bitsOf(3) : 0);
    }
  });
}

test('NaN and infinity are larger than every number', () => {
  const number = sharedFloats([1, floatOf(infinityBits - 1)]);
  for (const value of [Number.NaN, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]) {
    assert.ok(largestMagnitude(sharedFloats([3, value, 1]), 0, 3) >= infinityBits);
  }
  assert.equal(largestMagnitude(number, 0, 2), infinityBits - 1);
});

test('integers wrap around when added, as int32 does', () => {
  const target = Int32Array.of(2 ** 31 - 1, -(2 ** 31));
  writeSum(target, 0, Int32Array.of(1, -1), target);
  assert.deepEqual([...target], [-(2 ** 31), 2 ** 31 - 1]);
});

test('a processor without SIMD is refused by name', {
  skip: process.arch !== 'x64' && 'the switch is for x64',
}, async () => {
  const url = new URL('./vector-kernels.ts', import.meta.url);
  const script = `import(${JSON.stringify(url)}).then(({ loadVectorKernels }) => loadVectorKernels())`;
  const flags = ['--no-enable-sse4-1', '--no-enable-sse4-2', '--no-enable-avx', '--import', 'tsx', '--eval', script];
  await assert.rejects(promisify(execFile)(process.execPath, flags), /EngineUnavailable.*no WebAssembly SIMD/s);
});
