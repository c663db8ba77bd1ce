import assert from 'node:assert/strict';
import { test } from 'node:test';
import { symmetricBeta } from './beta.ts';
import { keyedStream } from './stream.ts';

const draws = 20_000;

/** Distribution functions with a closed form. */
const known: Readonly<Record<number, (x: number) => number>> = {
  0.5: (x) => (2 / Math.PI) * Math.asin(Math.sqrt(x)),
  1: (x) => x,
  2: (x) => x * x * (3 - 2 * x),
};

for (const alpha of [0.01, 0.1, 0.2, 0.5, 1, 1.5, 2, 20]) {
  test(`Beta(${alpha}, ${alpha}) has its mean, its variance and its distribution`, () => {
    const stream = keyedStream(3, 'mixup', 'beta', alpha);
    const found = Float64Array.from({ length: draws }, () => symmetricBeta(stream, alpha)).sort();
    assert.ok(found.every((x) => x >= 0 && x <= 1));
    const mean = found.reduce((sum, x) => sum + x, 0) / draws;
    const variance = found.reduce((sum, x) => sum + (x - mean) ** 2, 0) / draws;
    const expected = 1 / (4 * (2 * alpha + 1));
    assert.ok(Math.abs(mean - 0.5) < 5 * Math.sqrt(expected / draws), `mean ${mean}`);
    assert.ok(Math.abs(variance / expected - 1) < 0.05, `variance ${variance}, not ${expected}`);
    const distribution = known[alpha];
    if (!distribution) return;
    const farthest = found.reduce((most, x, i) => Math.max(most, Math.abs(distribution(x) - (i + 0.5) / draws)), 0);
    assert.ok(farthest < 1.95 / Math.sqrt(draws), `Kolmogorov–Smirnov ${farthest}`);
  });
}
