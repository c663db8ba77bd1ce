import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stepClock } from './step-clock.ts';

test('seconds go to the part that runs, and laps add up to the total', () => {
  let milliseconds = 0;
  const clock = stepClock(() => milliseconds);
  clock.enter('data');
  milliseconds = 1500;
  clock.enter('compute');
  milliseconds = 4000;
  assert.deepEqual(clock.lap(), { data: 1.5, features: 0, compute: 2.5, exchange: 0, apply: 0 });
  milliseconds = 9000; // between laps nobody is charged
  clock.enter('compute');
  milliseconds = 9500;
  assert.equal(clock.lap().compute, 0.5);
  assert.equal(clock.total.compute, 3);
  assert.equal(clock.total.data, 1.5);
});
