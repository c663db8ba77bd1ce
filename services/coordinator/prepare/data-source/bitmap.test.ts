import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readBitmap } from './bitmap.ts';

/** 1 wide, 2 high: red above blue. Rows go from the bottom up, in blue, green, red, and end at four bytes. */
function redOverBlue(): Buffer {
  const file = Buffer.alloc(54 + 2 * 4);
  file.write('BM');
  file.writeUInt32LE(54, 10);
  file.writeInt32LE(1, 18);
  file.writeInt32LE(2, 22);
  file.writeUInt16LE(24, 28);
  file.set([255, 0, 0, 0], 54);
  file.set([0, 0, 255, 0], 58);
  return file;
}

test('rows are read from the top, in red, green and blue', () => {
  const { width, height, pixels } = readBitmap(redOverBlue(), 'patch.bmp');
  assert.deepEqual([width, height, ...pixels], [1, 2, 255, 0, 0, 0, 0, 255]);
});

const damages: readonly [what: string, damage: (file: Buffer) => Buffer][] = [
  ['a file that is cut short', (file) => file.subarray(0, -1)],
  ['eight bits', (file) => set(file, 28, 8)],
  ['compression', (file) => set(file, 30, 1)],
  ['no width', (file) => set(file, 18, 0)],
];
for (const [what, damage] of damages) {
  test(`${what} is refused`, () => {
    assert.throws(() => readBitmap(damage(redOverBlue()), 'patch.bmp'), {
      code: 'DataInvalid',
      message: /^patch\.bmp: found .*; expected \d+ bytes, 24 bits, uncompressed$/,
    });
  });
}

function set(file: Buffer, place: number, byte: number): Buffer {
  file[place] = byte;
  return file;
}
