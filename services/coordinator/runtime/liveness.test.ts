import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLiveness, hungMilliseconds, reconnectMilliseconds, silenceMilliseconds, type Work } from './liveness.ts';

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

describe('a trainer whose heartbeats go on', () => {
  const beats = [0, 1, 2, 3, 4].map((second) => second * 1000);
  const limit = hungMilliseconds / 1000;

  /** One heartbeat a second; what each says is worked out from its second. Returns the seconds and reasons of losses. */
  function watched(seconds: number, work: (second: number) => Partial<Work>): string[] {
    const liveness = createLiveness();
    const losses: string[] = [];
    for (let second = 0; second <= seconds; second++) {
      const said = { phase: 'compute', ticks: 7, waitingFor: '', ...work(second) };
      liveness.heard('a', second * 1000, said);
      for (const { reason } of liveness.check(second * 1000, 0)) losses.push(`${second} s: ${reason}`);
      if (losses.length > 0) return losses;
    }
    return losses;
  }

  for (const phase of ['features', 'compute', 'evaluate']) {
    it(`is lost when its ticks stand still in ${phase}`, () => {
      assert.deepEqual(
        watched(limit + 5, () => ({ phase })),
        [`${limit} s: hung in ${phase}: no progress for ${limit} s`],
      );
    });
  }

  for (const phase of ['loading', 'idle', 'exchange', 'apply']) {
    it(`is kept in ${phase}, which does not tick`, () =>
      assert.deepEqual(
        watched(10 * limit, () => ({ phase })),
        [],
      ));
  }

  it('is kept while it waits for another, and counts from when it no longer does', () => {
    assert.deepEqual(
      watched(10 * limit, () => ({ waitingFor: 'trainer-1' })),
      [],
    );
    const losses = watched(10 * limit, (second) => ({ waitingFor: second < 100 ? 'trainer-1' : '' }));
    assert.deepEqual(losses, [`${100 + limit} s: hung in compute: no progress for ${limit} s`]);
  });

  it('counts anew in another phase', () => {
    const losses = watched(3 * limit, (second) => ({ phase: second < 30 ? 'features' : 'compute' }));
    assert.deepEqual(losses, [`${30 + limit} s: hung in compute: no progress for ${limit} s`]);
  });

  it('gets ten times its slowest tick', () => {
    const slow = (second: number) => ({ ticks: Math.min(3, Math.floor(second / 20)) });
    assert.deepEqual(watched(300, slow), ['260 s: hung in compute: no progress for 200 s']);
    assert.deepEqual(
      watched(300, (second) => ({ ticks: Math.floor(second / 20) })),
      [],
    );
  });

  it('gets ten times the longest block of its probe, before its first block counts', () => {
    const probing = (second: number) => ({ phase: 'loading', ticks: Math.min(2, Math.floor(second / 20)) });
    const work = (second: number) => (second < 50 ? probing(second) : { phase: 'features', ticks: 2 });
    assert.deepEqual(watched(300, work), ['250 s: hung in features: no progress for 200 s']);
  });

  it("is not charged for the coordinator's own lateness", () => {
    const liveness = createLiveness();
    for (const now of beats) liveness.heard('a', now, { phase: 'compute', ticks: 1, waitingFor: '' });
    assert.deepEqual(liveness.check(100_000, 96_000), []);
    liveness.heard('a', 100_000, { phase: 'compute', ticks: 1, waitingFor: '' });
    assert.deepEqual(liveness.check(100_000, 0), []);
  });
});
