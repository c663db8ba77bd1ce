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
