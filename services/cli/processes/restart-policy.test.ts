import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { afterEnd, type Circumstances, type Ending, freeNames, trainerIndex, type Verdict } from './restart-policy.ts';

const killed: Ending['exit'] = { code: null, signal: 'SIGKILL' };
const finished: Ending['exit'] = { code: 0, signal: null };
const failed: Ending['exit'] = { code: 1, signal: null };
const asked: Ending['exit'] = { code: 143, signal: null };
const restart = (afterMilliseconds: number, deaths: number): Verdict => ({
  kind: 'restart',
  afterMilliseconds,
  deaths,
});
const none: Verdict = { kind: 'none' };
const giveUp: Verdict = { kind: 'giveUp' };
const end = (restarts = 0): Verdict => ({ kind: 'end', restarts });

/** A trainer of two is killed while it trains, for the first time. */
const ending: Ending = { exit: killed, gaveReason: false, readyMilliseconds: 5000, deaths: 0 };
const circumstances: Circumstances = { isOver: false, isTraining: true, others: 1, wanted: 2, min: 1 };

interface Case {
  readonly what: string;
  readonly ending?: Partial<Ending>;
  readonly circumstances?: Partial<Circumstances>;
  readonly verdict: Verdict;
}

const cases: readonly Case[] = [
  { what: 'killed for the first time', verdict: restart(0, 1) },
  { what: 'killed for the second time in a row', ending: { deaths: 1 }, verdict: restart(1000, 2) },
  { what: 'killed for the third time', ending: { deaths: 2 }, verdict: restart(2000, 3) },
  { what: 'killed for the fourth time', ending: { deaths: 3 }, verdict: restart(4000, 4) },
  { what: 'killed for the fifth time', ending: { deaths: 4 }, verdict: restart(8000, 5) },
  { what: 'killed after five restarts', ending: { deaths: 5 }, verdict: end(5) },
  { what: 'that could not be started', ending: { exit: { code: null, signal: null } }, verdict: restart(0, 1) },
  { what: 'that crashed without a word', ending: { exit: failed }, verdict: restart(0, 1) },
  { what: 'killed before it was ready', ending: { readyMilliseconds: null, deaths: 5 }, verdict: end(5) },
  {
    what: 'killed before it has shown that it can live',
    ending: { readyMilliseconds: 29_999, deaths: 5 },
    verdict: end(5),
  },
  { what: 'that has shown it', ending: { readyMilliseconds: 30_000, deaths: 5 }, verdict: restart(0, 1) },
  { what: 'killed, the only one', circumstances: { others: 0, wanted: 1 }, verdict: restart(0, 1) },
  { what: 'killed while it gathers', circumstances: { isTraining: false }, verdict: restart(0, 1) },
  { what: 'killed that is one too many', circumstances: { others: 2 }, verdict: none },
  { what: 'killed when the job is over', circumstances: { isOver: true }, verdict: none },
  { what: 'finished that is one too many', ending: { exit: finished }, circumstances: { others: 2 }, verdict: none },
  { what: 'finished that is wanted again', ending: { exit: finished, deaths: 3 }, verdict: restart(1000, 3) },
  { what: 'asked to leave that is one too many', ending: { exit: asked }, circumstances: { others: 2 }, verdict: none },
  { what: 'asked to leave that is wanted', ending: { exit: asked }, verdict: restart(0, 1) },
  { what: 'with a reason, where others train', ending: { gaveReason: true, exit: failed }, verdict: giveUp },
  {
    what: 'with a reason, where too few others train',
    ending: { gaveReason: true },
    circumstances: { others: 1, min: 2 },
    verdict: end(),
  },
  {
    what: 'with a reason, where nobody trains yet',
    ending: { gaveReason: true },
    circumstances: { isTraining: false, others: 2 },
    verdict: end(),
  },
  {
    what: 'with a reason, when the job is over',
    ending: { gaveReason: true },
    circumstances: { isOver: true },
    verdict: none,
  },
];

for (const { what, verdict, ...given } of cases) {
  it(`a trainer ${what}: ${verdict.kind}`, () => {
    assert.deepEqual(afterEnd({ ...ending, ...given.ending }, { ...circumstances, ...given.circumstances }), verdict);
  });
}

it('a free name is the lowest that is not taken', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(12)), fc.nat(6), (indices, count) => {
      const used = new Set(indices.map((i) => `trainer-${i}`));
      const free = freeNames(used, count).map(trainerIndex);
      assert.equal(free.length, count);
      for (let i = 0; i <= Math.max(-1, ...free); i++) assert.notEqual(indices.includes(i), free.includes(i));
    }),
  );
});
