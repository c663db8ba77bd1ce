// The job's key in a real JetStream KV: compare-and-set, terms, take-over, and writes whose answer was lost.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/transport-node';
import { connectBroker } from '@thaw/coordinator/adapters/broker.ts';
import { openEventStream } from '@thaw/coordinator/adapters/event-stream.ts';
import { openJobKey } from '@thaw/coordinator/adapters/job-key.ts';
import { initialState } from '@thaw/coordinator/core/initial-state.ts';
import { aPlan } from '@thaw/coordinator/testing/builders.ts';
import { type NatsServer, natsServerFile, startNatsServer } from '../support/nats-server.ts';

const natsFile = natsServerFile();
const monotonic = (): number => performance.now();
/** How much faster than real time the clock of a contender runs, so that 3 s of standstill are soon over. */
const hastiness = 8;

describe('the job key', { skip: natsFile ? false : 'nats-server is missing: run ./thaw doctor' }, () => {
  let folder = '';
  let nats: NatsServer;
  let broker: NatsConnection;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'thaw-key-'));
    nats = await startNatsServer(natsFile as string, ['-js', '-sd', folder]);
    broker = await connectBroker(nats.url, 'test');
  });
  after(async () => {
    await broker?.close();
    await nats?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const stateOf = (uid: string, reign = 'a'.repeat(16)) =>
    initialState(aPlan(), { uid, runToken: 'c'.repeat(16), reign, term: 1 });

  it('is taken with term 1 when nobody has it, and written again and again', async () => {
    const key = await openJobKey(broker, { uid: 'FIRST', monotonic });
    const taken = await key.take(stateOf('FIRST'));
    assert.equal(taken.term, 1);
    await key.save({ ...taken, write: 1 });
    await key.save({ ...taken, write: 2 });
  });

  it('is taken over once its holder stands still; the holder then finds out', async () => {
    const first = await openJobKey(broker, { uid: 'OVER', monotonic });
    const held = await first.take(stateOf('OVER'));
    await first.save({ ...held, write: 7, reason: 'as the first one left it' });
    const second = await openJobKey(broker, { uid: 'OVER', monotonic });
    const started = monotonic();
    const taken = await second.take(stateOf('OVER', 'b'.repeat(16)));
    assert.ok(monotonic() - started >= 3000, 'only after 3 s');
    assert.deepEqual([taken.term, taken.reason], [2, 'as the first one left it']);
    await assert.rejects(first.save({ ...held, write: 8 }), { code: 'TermSuperseded' });
    await second.save({ ...taken, write: 2 });
  });

  it('counts a write that went through unanswered as written', async () => {
    const key = await openJobKey(broker, { uid: 'LOST', monotonic });
    const taken = await key.take(stateOf('LOST'));
    const next = { ...taken, write: 1 };
    await key.save(next);
    await key.save(next);
    await key.save({ ...taken, write: 2 });
  });

  for (const order of ['first', 'second'] as const) {
    it(`is taken by one of two that take over together, the ${order} a moment earlier; the other waits its turn`, async () => {
      const uid = `BOTH-${order}`;
      const incumbent = await openJobKey(broker, { uid, monotonic });
      await incumbent.take(stateOf(uid));
      const hasty = (): number => hastiness * monotonic();
      const names = order === 'first' ? ['1'.repeat(16), '2'.repeat(16)] : ['2'.repeat(16), '1'.repeat(16)];
      const contenders = await Promise.all(
        names.map(async (reign) => ({ reign, key: await openJobKey(broker, { uid, monotonic: hasty }) })),
      );
      const takes = contenders.map(async ({ reign, key }) => ({
        reign,
        key,
        state: await key.take(stateOf(uid, reign)),
      }));
      const winner = await Promise.race(takes);
      assert.deepEqual([winner.state.term, winner.state.reign], [2, winner.reign]);
      const taken: string[] = [];
      for (const take of takes) void take.then(({ reign }) => taken.push(reign));
      for (let write = 2; write < 12; write++) {
        await winner.key.save({ ...winner.state, write });
        await delay(100);
      }
      assert.deepEqual(taken, [winner.reign], 'nobody else has it while its holder renews');

      const heir = (await Promise.all(takes)).find(({ reign }) => reign !== winner.reign);
      assert.deepEqual([heir?.state.term, heir?.state.reign, heir?.state.write], [3, heir?.reign, 1]);
      await assert.rejects(winner.key.save({ ...winner.state, write: 12 }), { code: 'TermSuperseded' });
    });
  }

  it('holds an event once, in the stream and in the file', async () => {
    const file = path.join(folder, 'events.jsonl');
    const stream = await openEventStream(broker, 'EVENTS', file);
    const event = { id: '1.1', sequence: 1, at: 0, entry: { kind: 'jobCancelled', reason: 'x' } } as const;
    await stream.append(event);
    await stream.append(event);
    assert.equal((await readFile(file, 'utf8')).split('\n').length, 2);
  });
});
