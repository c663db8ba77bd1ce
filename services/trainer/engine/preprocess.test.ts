import assert from 'node:assert/strict';
import { test } from 'node:test';
import { preprocessingPresets } from '@thaw/common/job/preprocessing.ts';
import { preprocess } from './preprocess.ts';

type Pixel = readonly [number, number, number];

/** Two pixels, as keras.applications' preprocess_input and torchvision's Normalize define their values. */
const pixels: readonly Pixel[] = [
  [0, 128, 255],
  [17, 200, 3],
];

const definitions: Readonly<Record<keyof typeof preprocessingPresets, (rgb: Pixel) => Pixel>> = {
  caffe: ([r, g, b]) => [b - 103.939, g - 116.779, r - 123.68],
  torch: ([r, g, b]) => [(r / 255 - 0.485) / 0.229, (g / 255 - 0.456) / 0.224, (b / 255 - 0.406) / 0.225],
  tf: ([r, g, b]) => [r / 127.5 - 1, g / 127.5 - 1, b / 127.5 - 1],
  unit: ([r, g, b]) => [r / 255, g / 255, b / 255],
};

for (const [name, values] of Object.entries(preprocessingPresets)) {
  test(`${name}: every channel by its definition`, () => {
    const found = preprocess(Uint8Array.from(pixels.flat()), { height: 1, width: 2, resize: 'squash', ...values });
    const define = definitions[name as keyof typeof definitions];
    for (const [i, expected] of pixels.flatMap(define).entries()) {
      assert.ok(Math.abs((found[i] as number) - expected) <= 1e-6 * Math.max(1, Math.abs(expected)), `value ${i}`);
    }
  });
}
