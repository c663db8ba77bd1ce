// Whole jobs in a world where members come and go, from seeds: some that are always the same, some that are new each time,
// and some that once found a defect. Then the simulation itself: that it repeats, and that it sees what is wrong.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { simulate } from './simulate.ts';
import { modelBugs } from './world.ts';

const always = 50;
const fresh = 10;
const untilFound = 200;

function comesOut(seed: number): void {
  const { failure, journal } = simulate(seed);
  const story = [...journal.faultLines, 'last events:', ...journal.newest].join('\n');
  assert.equal(failure, null, `npm run sim -- --seed ${seed}\n${story}\nSEED=${seed}: ${failure}`);
}

describe('a job whose members come and go', () => {
  it('comes to what it comes to undisturbed', () => {
    for (let seed = 1; seed <= always; seed++) comesOut(seed);
  });

  it('does so for seeds that nobody has seen before', (test) => {
    const first = Date.now() % 2 ** 32;
    test.diagnostic(`seeds ${first} to ${first + fresh - 1}`);
    for (let seed = first; seed < first + fresh; seed++) comesOut(seed);
  });

  for (const { seed, found } of [
    {
      seed: 100_100,
      found: 'who had restored the source for an evaluation said that it stood where it had trained before',
    },
    { seed: 502_626, found: 'a state was removed late, when a hand-over had just stored the same bytes again' },
    { seed: 1941, found: 'an ordered end waited for a snapshot that one who was halted a step behind never takes' },
  ]) {
    it(`seed ${seed}: ${found}`, () => comesOut(seed));
  }
});

describe('the simulation', () => {
  it('repeats a seed event by event', () => {
    const [first, second, other] = [5, 5, 6].map((seed) => simulate(seed).journal.digest());
    assert.equal(first, second);
    assert.notEqual(first, other);
  });

  for (const bug of modelBugs) {
    it(`finds a trainer that ${bug}`, () => {
      const seeds = Array.from({ length: untilFound }, (_, i) => i + 1);
      assert.ok(seeds.some((seed) => simulate(seed, { bug }).failure !== null));
    });
  }
});
