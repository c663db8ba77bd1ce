import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createLiveness, reconnectMilliseconds, silenceMilliseconds } from './liveness.ts';

it('loses a trainer whose session closed and did not come back in time', () => {
  const liveness = createLiveness();
  liveness.heard('a', 0);
  liveness.closed('a', 100);
  assert.deepEqual(liveness.check(100 + reconnectMilliseconds - 1, 0), []);
  assert.match(liveness.check(100 + reconnectMilliseconds, 0)[0]?.reason ?? '', /did not come back within 1 s/);
  assert.deepEqual(liveness.check(10_000, 0), [], 'once');
});

it('keeps one that came back', () => {
  const liveness = createLiveness();
  liveness.heard('a', 0);
  liveness.closed('a', 100);
  liveness.heard('a', 900);
  assert.deepEqual(liveness.check(2000, 0), []);
});

it('loses one that falls silent', () => {
  const liveness = createLiveness();
  liveness.heard('a', 0);
  assert.deepEqual(liveness.check(silenceMilliseconds - 1, 0), []);
  assert.match(liveness.check(silenceMilliseconds, 0)[0]?.reason ?? '', /no heartbeat for 5 s/);
});

it("gives back the time by which the coordinator's own check was late", () => {
  const liveness = createLiveness();
  liveness.heard('a', 0);
  assert.deepEqual(liveness.check(8000, 4000), []);
  assert.equal(liveness.check(9000, 0).length, 1);
});

it('knows nobody that it never heard, or was told to forget', () => {
  const liveness = createLiveness();
  liveness.closed('a', 0);
  liveness.heard('b', 0);
  liveness.forget('b');
  assert.deepEqual(liveness.check(60_000, 0), []);
});
