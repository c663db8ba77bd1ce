import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Augmentation } from '@thaw/common/job/resolved-job.ts';
import { keyedStream } from '@thaw/common/random/stream.ts';
import sharp from 'sharp';
import { augmentedImage } from './augment.ts';
import { BadImage, decodeImage, type ImageGeometry } from './decode-image.ts';

const geometry: ImageGeometry = { height: 6, width: 6, resize: 'squash' };
const ids = Array.from({ length: 60 }, (_, i) => `sample-${i}`);
let bytes: Uint8Array;
let original: Uint8Array;

before(async () => {
  const stream = keyedStream(1, 'probe', 'noise');
  const pixels = Uint8Array.from({ length: 6 * 6 * 3 }, () => stream.below(256));
  bytes = await sharp(pixels, { raw: { width: 6, height: 6, channels: 3 } })
    .png()
    .toBuffer();
  original = await decodeImage(bytes, geometry);
});

function augmented(
  augment: readonly Augmentation[],
  sampleId: string,
  { seed = 1, view = 0 } = {},
): Promise<Uint8Array> {
  return augmentedImage(bytes, { geometry, augment, seed, view, sampleId });
}

/** The pixel that stands at (x, y) after a change of places. */
function moved(pixels: Uint8Array, from: (x: number, y: number) => readonly [number, number]): number[] {
  return Array.from({ length: 36 }, (_, at) => {
    const [x, y] = from(at % 6, Math.floor(at / 6));
    return [...pixels.subarray((y * 6 + x) * 3, (y * 6 + x) * 3 + 3)];
  }).flat();
}

for (const [axis, mirror] of [
  ['horizontal', (x: number, y: number) => [5 - x, y] as const],
  ['vertical', (x: number, y: number) => [x, 5 - y] as const],
] as const) {
  test(`flip ${axis} is the picture or its mirror, about as often`, async () => {
    const mirrored = moved(original, mirror).join();
    let flips = 0;
    for (const id of ids) {
      const found = [...(await augmented([{ kind: 'flip', axis }], id))].join();
      if (found === mirrored) flips += 1;
      else assert.equal(found, [...original].join());
    }
    assert.ok(flips > 15 && flips < 45, `${flips} of ${ids.length}`);
  });
}

/** The angle that a sample draws as its first number. */
const firstDraw = (id: string, low: number, high: number): number =>
  low + (high - low) * keyedStream(1, 'augment', 0, id).uniform();

test('brightness multiplies the bytes, contrast their distance from the mean', async () => {
  const mean = original.reduce((sum, byte) => sum + byte, 0) / original.length;
  for (const id of ids.slice(0, 10)) {
    const factor = firstDraw(id, 0.6, 1.4);
    const byte = (value: number): number => Math.min(255, Math.max(0, Math.round(value)));
    assert.deepEqual(
      [...(await augmented([{ kind: 'brightness', amount: 0.4 }], id))],
      [...original].map((value) => byte(value * factor)),
    );
    assert.deepEqual(
      [...(await augmented([{ kind: 'contrast', amount: 0.4 }], id))],
      [...original].map((value) => byte(mean + (value - mean) * factor)),
    );
  }
});

test('an amount of nothing changes nothing', async () => {
  for (const kind of ['brightness', 'contrast'] as const)
    assert.deepEqual([...(await augmented([{ kind, amount: 0 }], 'a'))], [...original]);
  assert.deepEqual([...(await augmented([{ kind: 'rotate', degrees: 1e-9 }], 'a'))], [...original]);
});

test('rotation by right angles moves pixels, and what comes from outside is black', async () => {
  // 180 at most either way: look for the samples whose angle is near a right one, and compare loosely.
  const quarter = moved(original, (x, y) => [y, 5 - x]);
  const half = moved(original, (x, y) => [5 - x, 5 - y]);
  const candidates = Array.from({ length: 4000 }, (_, i) => `turn-${i}`);
  const nearest = (angle: number): string =>
    candidates.reduce((best, id) =>
      Math.abs(firstDraw(id, -180, 180) - angle) < Math.abs(firstDraw(best, -180, 180) - angle) ? id : best,
    );
  for (const [angle, expected] of [
    [90, quarter],
    [-90, moved(original, (x, y) => [5 - y, x])],
    [180, half],
    [0, [...original]],
  ] as const) {
    const found = await augmented([{ kind: 'rotate', degrees: 180 }], nearest(angle));
    const inside = expected.filter((value, i) => Math.abs(value - (found[i] as number)) > 8).length;
    assert.ok(inside <= 6, `${angle}: ${inside} bytes differ`);
  }
  const white = await sharp({ create: { width: 6, height: 6, channels: 3, background: '#ffffff' } })
    .png()
    .toBuffer();
  const options = { geometry, augment: [{ kind: 'rotate', degrees: 180 }] as const, seed: 1, view: 0 };
  const turned = await augmentedImage(white, { ...options, sampleId: nearest(45) });
  assert.deepEqual([...turned.subarray(0, 3)], [0, 0, 0]);
  assert.deepEqual([...turned.subarray((2 * 6 + 2) * 3, (2 * 6 + 2) * 3 + 3)], [255, 255, 255]);
});

/** A picture whose red tells the column and whose green tells the row, 0..250. */
async function coordinates(width: number, height: number): Promise<Uint8Array> {
  const pixels = new Uint8Array(width * height * 3);
  for (let at = 0; at < width * height; at++) {
    pixels[at * 3] = Math.round((250 * (at % width)) / (width - 1));
    pixels[at * 3 + 1] = Math.round((250 * Math.floor(at / width)) / (height - 1));
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

test('a crop is a window of the drawn area and aspect, anywhere in the picture', async () => {
  const [width, height] = [200, 100];
  const picture = await coordinates(width, height);
  const large: ImageGeometry = { height: 50, width: 50, resize: 'squash' };
  const crop: Augmentation = { kind: 'crop', area: [0.2, 0.5], aspect: [0.8, 1.25] };
  const areas: number[] = [];
  const centres: number[] = [];
  for (const sampleId of Array.from({ length: 80 }, (_, i) => `crop-${i}`)) {
    const found = await augmentedImage(picture, { geometry: large, augment: [crop], seed: 1, view: 0, sampleId });
    const corner = (x: number, y: number): readonly [number, number] => {
      const at = (y * 50 + x) * 3;
      return [((found[at] as number) / 250) * (width - 1), ((found[at + 1] as number) / 250) * (height - 1)];
    };
    const [[left, top], [right, bottom]] = [corner(0, 0), corner(49, 49)];
    const [w, h] = [right - left, bottom - top];
    assert.ok(left >= -1 && top >= -1 && right <= width && bottom <= height);
    assert.ok(w / h > 0.7 && w / h < 1.45, `aspect ${w / h}`);
    areas.push((w * h) / (width * height));
    centres.push((left + right) / 2 / width);
  }
  assert.ok(Math.min(...areas) > 0.15 && Math.max(...areas) < 0.55, `${Math.min(...areas)} to ${Math.max(...areas)}`);
  const mean = areas.reduce((sum, area) => sum + area, 0) / areas.length;
  assert.ok(Math.abs(mean - 0.35) < 0.05, `mean area ${mean}`);
  assert.ok(Math.min(...centres) < 0.35 && Math.max(...centres) > 0.65);
});

test('a crop of the whole picture is the picture, resized', async () => {
  const crop: Augmentation = { kind: 'crop', area: [1, 1], aspect: [1, 1] };
  assert.deepEqual([...(await augmented([crop], 'a'))], [...original]);
});

test('a view is drawn from seed, view and sample id, and from nothing else', async () => {
  const all: readonly Augmentation[] = [
    { kind: 'crop', area: [0.5, 1], aspect: [0.75, 1.33] },
    { kind: 'flip', axis: 'horizontal' },
    { kind: 'rotate', degrees: 30 },
    { kind: 'brightness', amount: 0.3 },
    { kind: 'contrast', amount: 0.3 },
  ];
  const first = await augmented(all, 'a');
  await augmented(all, 'b');
  assert.deepEqual(await augmented(all, 'a'), first);
  const others = [
    await augmented(all, 'b'),
    await augmented(all, 'a', { seed: 2 }),
    await augmented(all, 'a', { view: 1 }),
  ];
  for (const other of others) assert.notDeepEqual(other, first);
});

test('bytes that are no image are bad, cropped or not', async () => {
  const options = { geometry, seed: 1, view: 0, sampleId: 'a' };
  for (const augment of [
    [{ kind: 'flip', axis: 'horizontal' }],
    [{ kind: 'crop', area: [1, 1], aspect: [1, 1] }],
  ] satisfies Augmentation[][]) {
    await assert.rejects(augmentedImage(Buffer.from('no picture'), { ...options, augment }), BadImage);
  }
});
