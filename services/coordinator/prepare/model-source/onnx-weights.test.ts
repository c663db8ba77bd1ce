// Against bytes that are put together here by the rules of protobuf, field by field.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readOnnxWeights } from './onnx-weights.ts';

const varint = (value: number): number[] =>
  value < 128 ? [value] : [(value & 127) | 128, ...varint(Math.floor(value / 128))];
const number = (field: number, value: number): number[] => [field << 3, ...varint(value)];
const bytes = (field: number, content: readonly number[]): number[] => {
  return [(field << 3) | 2, ...varint(content.length), ...content];
};
const float32 = 1;
const int64 = 7;

interface Constant {
  readonly name: string;
  readonly dims: readonly number[];
  readonly type: number;
  readonly raw: readonly number[];
}

function onnx(constants: readonly Constant[]): Uint8Array {
  const initializers = constants.map(({ name, dims, type, raw }) => {
    const packed = dims.flatMap(varint);
    return [...bytes(1, packed), ...number(2, type), ...bytes(8, [...Buffer.from(name)]), ...bytes(9, raw)];
  });
  const graph = initializers.flatMap((initializer) => bytes(5, initializer));
  return Uint8Array.from([...number(1, 7), ...bytes(7, graph)]);
}

const floats = [0.42947057, -2, 3e-5];
const kernel: Constant = {
  name: 'conv/kernel',
  dims: [1, 3],
  type: float32,
  raw: [...new Uint8Array(Float32Array.from(floats).buffer)],
};

test('float32 constants are read with names and shapes, others passed over', () => {
  const shape: Constant = { name: 'shape', dims: [1], type: int64, raw: [1, 0, 0, 0, 0, 0, 0, 0] };
  const weights = readOnnxWeights(onnx([shape, kernel]), 'vgg.onnx');
  assert.deepEqual([...weights.keys()], ['conv/kernel']);
  assert.deepEqual(weights.get('conv/kernel')?.shape, [1, 3]);
  assert.deepEqual([...(weights.get('conv/kernel')?.data ?? [])], floats.map(Math.fround));
});

const whole = onnx([kernel]);
const refused: readonly [what: string, file: Uint8Array, message: RegExp][] = [
  ['a file that is cut short', whole.subarray(0, -5), /^vgg\.onnx is no whole ONNX file: /],
  ['an empty file', new Uint8Array(0), /^vgg\.onnx: found no weights; expected an ONNX model/],
  [
    'fewer values than the shape has',
    onnx([{ ...kernel, dims: [4, 3] }]),
    /^vgg\.onnx: conv\/kernel: found 12 bytes; expected 12 numbers of 4$/,
  ],
];
for (const [what, file, message] of refused) {
  test(`${what} is refused`, () => {
    assert.throws(() => readOnnxWeights(file, 'vgg.onnx'), { code: 'ModelInvalid', message });
  });
}
