import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fitText, type StoreFit } from './store-fit.ts';

const sizes = { held: 3, wanted: 6, heldBytes: 1.5e6, wantedBytes: 3e6 };

for (const [what, disk, said] of [
  [
    'features',
    'none',
    'features of 3 of 6 samples fit in memory (1.5 MB of 3.0 MB); the others are computed again in every epoch',
  ],
  [
    'features',
    'used',
    'features of 3 of 6 samples fit in memory and on disk (1.5 MB of 3.0 MB); the others are computed again in every epoch',
  ],
  [
    'features',
    'left',
    'features of 3 of 6 samples fit in memory (1.5 MB of 3.0 MB); the others are computed again in every epoch, and not read from disk',
  ],
  [
    'pixels',
    'none',
    'pixels of 3 of 6 samples fit in memory (1.5 MB of 3.0 MB); the others are decoded again in every epoch',
  ],
] as const satisfies readonly [StoreFit['what'], StoreFit['disk'], string][]) {
  test(`says where ${what} fit, with a disk that is ${disk}`, () => {
    assert.equal(fitText({ ...sizes, what, disk }), `the ${said}`);
  });
}
