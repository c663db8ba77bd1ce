import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyedStream } from '@thaw/common/random/stream.ts';
import { magnitudeMax, operations, randAugmented } from './rand-augment.ts';

const side = 8;
const geometry = { height: side, width: side, resize: 'squash' } as const;
const noise = Uint8Array.from({ length: side * side * 3 }, () => 0);
{
  const stream = keyedStream(1, 'probe', 'noise');
  for (const i of noise.keys()) noise[i] = 40 + stream.below(160);
}
const drawn = (strength: number, sign = 1) => ({ geometry, strength, sign });
const apply = (name: string, strength: number, { sign = 1, pixels = noise } = {}): number[] => [
  ...(operations[name]?.(pixels, drawn(strength, sign)) ?? assert.fail(name)),
];
const byte = (value: number): number => Math.min(255, Math.max(0, Math.round(value)));
const at = (pixels: ArrayLike<number>, x: number, y: number, c: number): number =>
  pixels[(y * side + x) * 3 + c] as number;

test('without strength an operation leaves the picture alone, but for those that have none', () => {
  for (const name of Object.keys(operations)) {
    if (name === 'autoContrast' || name === 'equalize') continue;
    // Nothing is as bright as the threshold of no solarization.
    assert.deepEqual(apply(name, 0), [...noise], name);
  }
});

test('every other operation changes a picture at full strength', () => {
  for (const name of Object.keys(operations)) {
    // So few pixels are even already.
    if (name !== 'identity' && name !== 'equalize') assert.notDeepEqual(apply(name, 1), [...noise], name);
  }
});

test('a shift moves by whole pixels, and what comes from outside is black', () => {
  const shift = Math.trunc((150 / 331) * side);
  const found = apply('translateX', 1);
  for (let x = 0; x < side; x++) {
    assert.equal(at(found, x, 2, 1), x + shift < side ? at(noise, x + shift, 2, 1) : 0);
  }
  const up = apply('translateY', 1, { sign: -1 });
  for (let y = 0; y < side; y++) assert.equal(at(up, 3, y, 0), y - shift >= 0 ? at(noise, 3, y - shift, 0) : 0);
});

test('a shear moves rows apart, each by its distance from the middle', () => {
  const found = apply('shearX', 1);
  const y = 7;
  const from = 3 + 0.3 * (y - 3.5);
  const [left, part] = [Math.floor(from), from - Math.floor(from)];
  const expected = Math.round(at(noise, left, y, 0) * (1 - part) + at(noise, left + 1, y, 0) * part);
  assert.equal(at(found, 3, y, 0), expected);
});

test('tones are blends with black, with grey, with the mean and with a smoothed picture', () => {
  const [red, green, blue] = [at(noise, 4, 4, 0), at(noise, 4, 4, 1), at(noise, 4, 4, 2)];
  const grey = 0.299 * red + 0.587 * green + 0.114 * blue;
  assert.equal(at(apply('brightness', 1, { sign: -1 }), 4, 4, 0), byte(red * 0.1));
  assert.equal(at(apply('color', 1, { sign: -1 }), 4, 4, 0), byte(grey + 0.1 * (red - grey)));
  const contrast = apply('contrast', 1, { sign: -1 });
  assert.ok(Math.max(...contrast) - Math.min(...contrast) <= 17, 'nearly one grey');
  let sum = 4 * red;
  for (const y of [3, 4, 5]) for (const x of [3, 4, 5]) sum += at(noise, x, y, 0);
  const smooth = Math.round(sum / 13);
  assert.equal(at(apply('sharpness', 1), 4, 4, 0), byte(smooth + 1.9 * (red - smooth)));
  assert.equal(at(apply('sharpness', 1), 0, 4, 0), at(noise, 0, 4, 0), 'the border stays');
});

test('posterize keeps the upper four bits at most, solarize inverts what is bright', () => {
  assert.deepEqual(
    apply('posterize', 1),
    [...noise].map((value) => value & 0xf0),
  );
  assert.deepEqual(
    apply('posterize', 0.5),
    [...noise].map((value) => value & 0xfc),
  );
  assert.deepEqual(
    apply('solarize', 0.5),
    [...noise].map((value) => (value >= 127.5 ? 255 - value : value)),
  );
});

test('autocontrast spans the whole range in every channel, equalize evens the histogram out', () => {
  const stretched = apply('autoContrast', 0);
  for (const channel of [0, 1, 2]) {
    const values = stretched.filter((_, i) => i % 3 === channel);
    assert.deepEqual([Math.min(...values), Math.max(...values)], [0, 255]);
  }
  const stream = keyedStream(1, 'probe', 'large');
  const large = Uint8Array.from({ length: 64 * 64 * 3 }, () => 40 + Math.min(stream.below(160), stream.below(160)));
  const even = apply('equalize', 0, { pixels: large });
  const darker = even.filter((value) => value < 128).length / even.length;
  assert.ok(darker > 0.45 && darker < 0.55, `${darker} is darker than the middle`);
  assert.ok(Math.min(...even) === 0 && Math.max(...even) > 245);
  const flat = new Uint8Array(side * side * 3).fill(77);
  assert.deepEqual(apply('autoContrast', 0, { pixels: flat }), [...flat]);
  assert.deepEqual(apply('equalize', 0, { pixels: flat }), [...flat]);
});

test('what is drawn depends on the stream alone, and every operation is drawn', () => {
  const rule = { operations: 2, magnitude: magnitudeMax };
  const of = (id: number) => randAugmented(noise, rule, { geometry, stream: keyedStream(1, 'augment', 0, id) });
  assert.deepEqual(of(3), of(3));
  const one = { operations: 1, magnitude: magnitudeMax };
  const seen = new Set<string>();
  for (let id = 0; id < 600; id++) {
    seen.add(randAugmented(noise, one, { geometry, stream: keyedStream(1, 'augment', 0, id) }).join());
  }
  // Of each signed one both directions: four tones, five of geometry. Equalizing so few pixels is the identity.
  assert.equal(seen.size, Object.keys(operations).length + 9 - 1);
});
