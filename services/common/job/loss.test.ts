import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { resolvedTinyJob } from '../../../test/support/fixtures/resolved-tiny-job.ts';
import type { Fields } from '../../../test/support/fixtures/tiny-job.ts';
import { ThawError } from '../errors/thaw-error.ts';
import { resolveClassWeights } from './loss.ts';

const train = (changes: Fields): Fields => ({ spec: { train: changes } });

const losses: readonly (readonly [written: Fields, resolved: Fields, activation: string])[] = [
  [{}, { kind: 'crossEntropy', labelSmoothing: 0 }, 'softmax'],
  [{ loss: { crossEntropy: { labelSmoothing: 0.1 } } }, { kind: 'crossEntropy', labelSmoothing: 0.1 }, 'softmax'],
  [{ loss: { binaryCrossEntropy: {} } }, { kind: 'binaryCrossEntropy', labelSmoothing: 0 }, 'sigmoid'],
  [{ loss: { focal: {} } }, { kind: 'focal', gamma: 2, alpha: 0.25, labelSmoothing: 0 }, 'softmax'],
  [{ loss: { mse: {} } }, { kind: 'mse' }, 'softmax'],
  [{ loss: { mae: {} } }, { kind: 'mae' }, 'softmax'],
  [{ loss: { huber: {} } }, { kind: 'huber', delta: 1 }, 'softmax'],
];

for (const [written, resolved, activation] of losses) {
  test(`${JSON.stringify(written)} is ${resolved.kind} on a network that ends in ${activation}`, () => {
    const job = resolvedTinyJob(train(written));
    assert.deepEqual(job.train.loss, resolved);
    assert.deepEqual(job.model.head.at(-1), { kind: 'dense', units: 3, activation, useBias: true });
  });
}

test('without class weights there are none', () => {
  assert.equal(resolvedTinyJob().train.classWeights, null);
});

test('balanced weights give every class the same sum, and a sample 1 on average', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 1e6 }), { minLength: 2, maxLength: 50 }), (counts) => {
      const names = counts.map((_, index) => `class ${index}`);
      const weights = resolveClassWeights({ classWeights: { balanced: {} } } as never, { names, counts }) ?? [];
      const sums = counts.map((count, index) => count * (weights[index] as number));
      const samples = counts.reduce((sum, count) => sum + count, 0);
      for (const sum of sums) assert.ok(Math.abs(sum - samples / counts.length) <= 1e-9 * samples);
    }),
  );
});

test('weights by name come in the order of the classes', () => {
  const perClass = { stripes: 3, circle: 0.5, square: 1 };
  assert.deepEqual(resolvedTinyJob(train({ classWeights: { perClass } })).train.classWeights, [0.5, 1, 3]);
});

const refused: readonly (readonly [what: string, weights: Fields, counts: readonly number[], message: string])[] = [
  [
    'a class that the data does not have',
    { perClass: { circle: 1, square: 1, stripes: 1, star: 1 } },
    [1, 1, 1],
    'spec.train.classWeights.perClass: found "star", which the data does not have; expected one weight for each of ' +
      '"circle", "square", "stripes"',
  ],
  [
    'a class left out',
    { perClass: { circle: 1, toString: 1 } },
    [1, 1, 1],
    'spec.train.classWeights.perClass: found "toString", which the data does not have, and no weight for "square", ' +
      '"stripes"; expected one weight for each of "circle", "square", "stripes"',
  ],
  [
    'a class without samples to balance by',
    { balanced: {} },
    [3, 0, 2],
    'spec.train.classWeights.balanced: found no training sample of "square"; expected some of every class',
  ],
];

for (const [what, classWeights, counts, message] of refused) {
  test(`refused: ${what}`, () => {
    const classes = { names: ['circle', 'square', 'stripes'], counts };
    assert.throws(
      () => resolvedTinyJob(train({ classWeights }), { facts: { classes } }),
      (thrown) => thrown instanceof ThawError && thrown.code === 'JobInvalid' && thrown.message === message,
    );
  });
}
