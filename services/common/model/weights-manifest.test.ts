import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ThawError } from '../errors/thaw-error.ts';
import { decodeWeights, type StoredWeight } from './weights-manifest.ts';

const float = (name: string, ...shape: number[]): StoredWeight => ({ name, shape, dtype: 'float32' });
const bytesOf = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);

test('tensors lie one after the other, whatever kind of array the bytes come in', () => {
  const specs = [float('a', 2), float('scalar'), float('none', 0, 3), float('b', 1, 3)];
  const bytes = bytesOf(1, 2, 3, 4, 5, 6);
  const odd = new Uint8Array(bytes.length + 1);
  odd.set(bytes, 1);
  for (const given of [
    bytes,
    Buffer.from(bytes),
    Buffer.concat([bytes.subarray(0, 3), bytes.subarray(3)]),
    odd.subarray(1),
  ]) {
    const weights = decodeWeights(specs, given, 'w');
    assert.deepEqual([...(weights.get('a')?.data ?? [])], [1, 2]);
    assert.deepEqual([...(weights.get('scalar')?.data ?? [])], [3]);
    assert.deepEqual(weights.get('none')?.data.length, 0);
    assert.deepEqual([...(weights.get('b')?.data ?? [])], [4, 5, 6]);
    assert.deepEqual(weights.get('b')?.shape, [1, 3]);
  }
});

test('a tensor does not change with the bytes it was read from', () => {
  const bytes = Buffer.from(bytesOf(1));
  const { data } = decodeWeights([float('a', 1)], bytes, 'w').get('a') ?? { data: [] };
  bytes.fill(0);
  assert.equal(data[0], 1);
});

const refused: readonly (readonly [what: string, specs: unknown, bytes: Uint8Array, message: RegExp])[] = [
  ['a truncated file', [float('a', 2)], bytesOf(1), /^w is truncated: a ends at byte 8, the file has 4$/],
  ['a cut tensor', [float('a', 1)], bytesOf(1).subarray(1), /^w is truncated: a ends at byte 4, the file has 3$/],
  ['surplus bytes', [float('a', 1)], bytesOf(1, 2), /^w: found 8 bytes; expected 4 for its tensors$/],
  ['an unknown type', [{ ...float('a', 1), dtype: 'complex64' }], bytesOf(1), /^w: a: found type complex64/],
  [
    "a type that is JavaScript's own",
    [{ ...float('a', 1), dtype: 'constructor' }],
    bytesOf(1),
    /found type constructor/,
  ],
  ['one name twice', [float('a', 1), float('a', 1)], bytesOf(1, 2), /^w: two tensors are called a$/],
  ['a negative size', [float('a', -1)], bytesOf(), /^w: found the weight entry .*"shape":\[-1\]/],
  ['sizes that are none', [{ ...float('a'), shape: 'big' }], bytesOf(), /"shape":"big"/],
  ['an entry that is nothing', [null], bytesOf(), /^w: found the weight entry \{\}; expected name, shape, dtype$/],
  [
    'a weight that is no number',
    [float('a', 2)],
    bytesOf(1, Number.NaN),
    /^w: a: found NaN at element 1; expected finite/,
  ],
  [
    'a scale that is no number',
    [{ ...float('a', 1), quantization: { dtype: 'uint8', scale: 'big' } }],
    Uint8Array.of(1),
    /^w: a: found NaN at element 0; expected finite weights$/,
  ],
  [
    'half an infinity',
    [{ ...float('a', 1), quantization: { dtype: 'float16' } }],
    Uint8Array.of(0, 0x7c),
    /^w: a: found Infinity at element 0; expected finite weights$/,
  ],
  ['a huge size', [float('a', 2 ** 40, 2 ** 40)], bytesOf(1), /^w is truncated/],
];

for (const [what, specs, bytes, message] of refused) {
  test(`refused: ${what}`, () => {
    assert.throws(
      () => decodeWeights(specs as StoredWeight[], bytes, 'w'),
      (thrown) => {
        assert.ok(thrown instanceof ThawError && thrown.code === 'ModelInvalid', String(thrown));
        assert.match(thrown.message, message);
        return true;
      },
    );
  });
}
