import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { pythonWith } from '../../../test/support/python.ts';
import { ThawError } from '../errors/thaw-error.ts';
import { type NamedTensor, readFloatTensors, readSafetensors, writeSafetensors } from './safetensors.ts';

const tensors = fc
  .record({
    shape: fc.array(fc.nat(4), { maxLength: 4 }),
    type: fc.constantFrom(Float32Array, Int32Array, Float64Array),
  })
  .chain(({ shape, type }) => {
    const length = shape.reduce((product, size) => product * size, 1);
    return fc
      .uint8Array({ minLength: length * type.BYTES_PER_ELEMENT, maxLength: length * type.BYTES_PER_ELEMENT })
      .map((bytes): NamedTensor => ({ shape, data: new type(bytes.slice().buffer) }));
  });
const names = fc
  .oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'ключ'))
  .filter((name) => name !== '__metadata__');
const files = fc.uniqueArray(fc.tuple(names, tensors), { selector: ([name]) => name, maxLength: 8 });

const bitsOf = ({ shape, data }: NamedTensor): unknown => [
  data.constructor.name,
  shape,
  Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex'),
];

test('what was written is read again, bit for bit, from an array or a Buffer', () => {
  fc.assert(
    fc.property(files, fc.dictionary(fc.string(), fc.string()), (entries, metadata) => {
      const file = writeSafetensors(new Map(entries), metadata);
      for (const given of [file, Buffer.concat([file])]) {
        const read = readSafetensors(given, 'file');
        assert.deepEqual({ ...read.metadata }, { ...metadata });
        assert.equal(read.tensors.size, entries.length);
        for (const [name, tensor] of entries)
          assert.deepEqual(bitsOf(read.tensors.get(name) as NamedTensor), bitsOf(tensor));
      }
    }),
  );
});

test('equal tensors give equal files, in whatever order they come', () => {
  fc.assert(
    fc.property(files, (entries) => {
      assert.deepEqual(writeSafetensors(new Map(entries)), writeSafetensors(new Map([...entries].reverse())));
    }),
  );
});

/** A file with this header before `bytes` bytes of tensors. */
function fileWith(header: unknown, bytes = 8): Uint8Array {
  const json = typeof header === 'string' ? header : JSON.stringify(header);
  const file = Buffer.alloc(8 + Buffer.byteLength(json) + bytes);
  file.writeBigUInt64LE(BigInt(Buffer.byteLength(json)));
  file.write(json, 8);
  return file;
}

const f32 = (begin: number, end: number, shape: unknown = [(end - begin) / 4]): object => ({
  dtype: 'F32',
  shape,
  data_offsets: [begin, end],
});
const lengthOf = (length: bigint): Uint8Array => {
  const file = Buffer.alloc(16);
  file.writeBigUInt64LE(length);
  return file;
};

const refused: readonly (readonly [what: string, file: Uint8Array, message: RegExp])[] = [
  ['nothing', new Uint8Array(), /found 0 bytes/],
  ['a header longer than the file', lengthOf(9n), /found a header of 9 bytes in a file of 16/],
  ['a header of 2^63 bytes', lengthOf(2n ** 63n), /found a header of 9223372036854775808 bytes/],
  ['a header that is no JSON', fileWith('{"a":'), /a header that is no JSON object/],
  ['a header that is a list', fileWith([]), /a header that is no JSON object/],
  ['metadata that are no texts', fileWith({ __metadata__: { a: 1 }, b: f32(0, 8) }), /malformed __metadata__/],
  [
    'an unknown type',
    fileWith({ a: { ...f32(0, 8), dtype: 'F8' } }),
    /a: found dtype "F8"; expected F32, I32, F64, I64/,
  ],
  ["a type that is JavaScript's own", fileWith({ a: { ...f32(0, 8), dtype: 'toString' } }), /found dtype "toString"/],
  ['no offsets', fileWith({ a: { dtype: 'F32', shape: [2] } }), /a: found a malformed entry/],
  ['three offsets', fileWith({ a: { ...f32(0, 8), data_offsets: [0, 4, 8] } }), /a malformed entry/],
  ['a negative size', fileWith({ a: f32(0, 8, [-2]) }), /a malformed entry/],
  ['an entry that is nothing', fileWith({ a: null }), /found dtype undefined/],
  ['a tensor beyond the end', fileWith({ a: f32(0, 12) }), /a: found bytes 0\.\.12 of 8/],
  ['a tensor that ends before it begins', fileWith({ a: f32(8, 4, []) }), /found bytes 8\.\.4/],
  ['a shape of another size', fileWith({ a: f32(0, 8, [3]) }), /expected 12 bytes for shape \[3\]/],
  ['sizes whose product overflows', fileWith({ a: f32(0, 8, [2 ** 40, 2 ** 40]) }), /found bytes 0\.\.8 of 8/],
  [
    'two tensors over each other',
    fileWith({ a: f32(0, 8), b: f32(4, 8) }),
    /found a tensor at byte 4; expected the next one at byte 8/,
  ],
  ['two names for the same bytes', fileWith({ a: f32(0, 8), b: f32(0, 8) }), /found a tensor at byte 0/],
  [
    'a hole',
    fileWith({ a: f32(0, 4), b: f32(8, 12) }, 12),
    /found a tensor at byte 8; expected the next one at byte 4/,
  ],
  ['bytes that belong to nothing', fileWith({ a: f32(0, 4) }), /found 8 bytes of tensors; expected 4/],
];

for (const [what, file, message] of refused) {
  test(`refused: ${what}`, () => {
    assert.throws(
      () => readSafetensors(file, 'file'),
      (thrown) => {
        assert.ok(thrown instanceof ThawError && thrown.code === 'ModelInvalid', String(thrown));
        assert.match(thrown.message, message);
        return true;
      },
    );
  });
}

test('entries over each other are refused before any of them is copied', () => {
  const names = Array.from({ length: 256 }, (_, i) => `a${i}`);
  const file = fileWith(Object.fromEntries(names.map((name) => [name, f32(0, 2 ** 20)])), 2 ** 20);
  const before = process.memoryUsage().arrayBuffers;
  assert.throws(() => readSafetensors(file, 'file'), /found a tensor at byte 0; expected the next one at byte 1048576/);
  const copied = process.memoryUsage().arrayBuffers - before;
  // Its own words: without them assert reads this file to find some, which can take for ever.
  assert.ok(copied < 2 ** 24, `${copied} bytes were copied; expected fewer than ${2 ** 24}`);
});

test('a file cut anywhere is refused', () => {
  const file = writeSafetensors(new Map([['a', { shape: [2], data: Float32Array.of(1, 2) }]]));
  for (let length = 0; length < file.length; length++)
    assert.throws(() => readSafetensors(file.subarray(0, length), 'file'), ThawError);
});

test('a file of weights holds float32 and nothing else', () => {
  const file = writeSafetensors(new Map([['a', { shape: [1], data: Int32Array.of(1) }]]));
  assert.throws(() => readFloatTensors(file, 'file'), /file: a: found another type; expected F32/);
});

const script = `
import json, sys
from safetensors import safe_open
with safe_open(sys.argv[1], framework='numpy') as file:
    print(json.dumps({name: [list(file.get_tensor(name).shape), file.get_tensor(name).ravel().tolist()] for name in file.keys()}))
`;
const python = await pythonWith(['numpy>=1.24,<3', 'safetensors>=0.4,<1']);

test("Python's safetensors reads the same values", {
  skip: typeof python === 'string' && python,
}, async () => {
  assert.ok(typeof python !== 'string');
  const folder = await mkdtemp(path.join(os.tmpdir(), 'thaw-safetensors-'));
  try {
    const file = path.join(folder, 'a.safetensors');
    const written = new Map<string, NamedTensor>([
      ['backbone/a/kernel', { shape: [2, 3], data: Float32Array.of(1, -2, 3.5, 0, 1e-30, 6) }],
      ['head/counter', { shape: [], data: Int32Array.of(-7) }],
      ['slots', { shape: [2], data: Float64Array.of(0.1, 1 / 3) }],
    ]);
    await writeFile(file, writeSafetensors(written, { step: '3' }));
    const stdout = await python.run('-c', [script, file]);
    const expected = [...written].map(([name, { shape, data }]) => [name, [shape, [...data]]]);
    assert.deepEqual(JSON.parse(stdout), Object.fromEntries(expected));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
