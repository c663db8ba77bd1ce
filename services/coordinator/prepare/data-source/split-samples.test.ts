import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { splitSamples } from './split-samples.ts';

const fractions = { train: 0.8, validation: 0.1, test: 0.1 };

test('each class is divided in proportion', () => {
  const samples = ['a', 'b'].flatMap((label) =>
    Array.from({ length: 100 }, (_, i) => ({ id: `${label}/${i}`, file: '', label })),
  );
  const sets = splitSamples(samples, fractions);
  for (const label of ['a', 'b']) {
    const counts = { train: 0, validation: 0, test: 0 };
    for (const { id } of samples.filter((sample) => sample.label === label)) counts[sets.get(id) ?? 'test'] += 1;
    assert.deepEqual(counts, { train: 80, validation: 10, test: 10 });
  }
});

test('no group lies in two sets, and order of listing does not matter', () => {
  const sample = fc.record({ group: fc.constantFrom('p', 'q', 'r', 's', 't'), label: fc.constantFrom('a', 'b') });
  fc.assert(
    fc.property(fc.array(sample, { minLength: 1, maxLength: 60 }), (drawn) => {
      const samples = drawn.map((fields, i) => ({ id: `${i}`, file: '', ...fields }));
      const sets = splitSamples(samples, fractions);
      for (const { id, group } of samples) {
        const mates = samples.filter((mate) => mate.group === group);
        assert.ok(mates.every((mate) => sets.get(mate.id) === sets.get(id)));
      }
      assert.deepEqual(splitSamples([...samples].reverse(), fractions), sets);
    }),
  );
});

test('tiny classes: one sample trains, and no class is without a training sample', () => {
  for (const perClass of [1, 2, 3, 4, 5, 9]) {
    const samples = ['a', 'b', 'c'].flatMap((label) =>
      Array.from({ length: perClass }, (_, i) => ({ id: `${label}/${i}`, file: '', label })),
    );
    const sets = splitSamples(samples, fractions);
    assert.equal(sets.size, samples.length);
    for (const label of ['a', 'b', 'c'])
      assert.ok(samples.some((sample) => sample.label === label && sets.get(sample.id) === 'train'));
  }
});

test('each class is divided within one sample of its share', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), (count) => {
      const samples = Array.from({ length: count }, (_, i) => ({ id: `${i}`, file: '', label: 'a' }));
      const sets = [...splitSamples(samples, fractions).values()];
      for (const set of ['train', 'validation', 'test'] as const) {
        const found = sets.filter((one) => one === set).length;
        assert.ok(Math.abs(found - count * fractions[set]) < 1, `${set}: ${found} of ${count}`);
      }
    }),
  );
});

test('a hundred thousand samples of one class take a few seconds at most', () => {
  const samples = Array.from({ length: 100_000 }, (_, i) => ({ id: `${i}`, file: '', label: 'a' }));
  const before = performance.now();
  splitSamples(samples, fractions);
  assert.ok(performance.now() - before < 8000);
});
