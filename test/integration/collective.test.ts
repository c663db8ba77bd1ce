// Three real trainers' collectives over a real nats-server, each with its comms thread, and a stranger on their subjects.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { tensorLayout } from '@thaw/common/model/tensor-layout.ts';
import { philox } from '@thaw/common/random/stream.ts';
import { encodeHeader, type FrameHeader, identity64 } from '@thaw/proto/frames/frame.ts';
import { generationSubjects } from '@thaw/proto/frames/subjects.ts';
import type { Collective, Generation, StepResult } from '@thaw/trainer/collective/collective.ts';
import { connectNats } from '@thaw/trainer/nats/nats-client.ts';
import { bigSum } from '../support/big-sum.ts';
import { type CollectiveNotice, startCollectiveThread } from '../support/collective-thread.ts';
import { type NatsServer, natsServerFile, startNatsServer } from '../support/nats-server.ts';

const file = natsServerFile();
const skip = file ? false : 'nats-server is missing: run ./thaw once, which sets it up';
if (skip && process.env.CI) throw new Error(skip);

const members = 3;
const shards = 4;
const uid = '01JTESTCOLLECTIVE';
const runToken = 'f00dfacef00dface';
const tensorSet = 'cd'.repeat(32);
const layout = tensorLayout([
  { name: 'a/kernel', shape: [700, 1000] },
  { name: 'b/bias', shape: [13] },
  { name: 'c/kernel', shape: [400_001] },
]);
const incarnationOf = (member: number): string => `00000000000000a${member}`;
const generation: Generation = {
  number: 4,
  firstStep: 1,
  members: Array.from({ length: members }, (_, i) => ({ incarnation: incarnationOf(i), name: `trainer-${i}` })),
  shardOwners: [0, 1, 2, 0],
};

interface Cluster {
  readonly server: NatsServer;
  readonly collectives: readonly Collective[];
  readonly notices: CollectiveNotice[];
}

async function aCluster(context: TestContext): Promise<Cluster> {
  const server = await startNatsServer(file ?? '');
  const notices: CollectiveNotice[] = [];
  const threads = generation.members.map(({ incarnation, name }) =>
    startCollectiveThread({ natsUrl: server.url, uid, runToken, incarnation, name }, (notice) => notices.push(notice)),
  );
  context.after(async () => {
    await Promise.all(threads.map((thread) => thread.close()));
    await server.stop();
  });
  const collectives = threads.map(({ collective }) => collective);
  await Promise.all(
    collectives.map((collective, self) => collective.open({ generation, stage: 0, self, layout, tensorSet, shards })),
  );
  return { server, collectives, notices };
}

/** The gradient of one shard in one step, the same for whoever computes it. */
function gradientOf(step: number, shard: number): Float32Array {
  const { uniform } = philox(step, shard);
  return Float32Array.from({ length: layout.length }, () => (uniform() - 0.5) * 2 ** (shard * 3 - 6));
}

function exchange({ collectives }: Cluster, step: number): Promise<StepResult[]> {
  return Promise.all(
    collectives.map((collective, self) => {
      const hosted = [...generation.shardOwners.keys()].filter((shard) => generation.shardOwners[shard] === self);
      for (const shard of hosted) collective.gradientBuffer(step, shard).set(gradientOf(step, shard));
      const contributions = hosted.map((shard) => ({
        shard,
        count: 16,
        weight: 16,
        loss: 0.5 + shard,
        correct: shard,
      }));
      return collective.exchange({ step, acknowledgedPlan: 0, shards: contributions });
    }),
  );
}

function assertExact(step: number, results: readonly StepResult[]): void {
  const gradients = Array.from({ length: shards }, (_, shard) => gradientOf(step, shard));
  for (const [tensor, { offset, length }] of layout.entries.entries()) {
    const { exponent, sums } = bigSum(gradients.map((gradient) => gradient.subarray(offset, offset + length)));
    const wanted = Int32Array.from(sums, Number);
    for (const result of results) {
      assert.equal(result.exponents[tensor], exponent);
      assert.equal(Buffer.compare(bytesOf(result.sums.subarray(offset, offset + length)), bytesOf(wanted)), 0);
    }
  }
  for (const { weight, count, loss, correct } of results) {
    assert.deepEqual({ weight, count, loss, correct }, { weight: 64, count: 64, loss: 8, correct: 6 });
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Int32Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

test('three members hold the exact sums while a stranger publishes garbage on their subjects', { skip }, async (t) => {
  const cluster = await aCluster(t);
  const stranger = await connectNats({ url: cluster.server.url, name: 'stranger', onLost() {}, onDrain() {} });
  const subjects = generationSubjects(uid, generation.number);
  const garbage = setInterval(() => {
    for (const subject of [subjects.everyone, subjects.member(0), subjects.member(1), subjects.member(2)]) {
      for (const parts of strangeMessages()) stranger.publish(subject, parts);
    }
  }, 2);
  t.after(async () => {
    clearInterval(garbage);
    await stranger.close();
  });
  for (let step = 1; step <= 4; step++) assertExact(step, await exchange(cluster, step));
  clearInterval(garbage);
  await Promise.all(cluster.collectives.map((collective) => collective.close()));
  const reasons = new Set(cluster.notices.map((notice) => (notice.kind === 'refused' ? notice.reason : '')));
  for (const reason of ['notAFrame', 'foreignToken', 'unknownIncarnation', 'corrupt', 'staleGeneration']) {
    assert.ok(reasons.has(reason), `${reason} was not counted, only ${[...reasons]}`);
  }
});

function strangeMessages(): Uint8Array[][] {
  const header: FrameHeader = {
    runToken: identity64(runToken, 'run token'),
    incarnation: identity64(incarnationOf(1), 'incarnation'),
    generation: generation.number,
    step: 2,
    phase: 2,
    source: 1,
    slice: 0,
    offset: 0,
    count: 4,
    stage: 0,
  };
  const payload = randomBytes(16);
  const frame = (changes: Partial<FrameHeader>) => [encodeHeader({ ...header, ...changes }, payload), payload];
  const corrupt = frame({});
  (corrupt[1] as Buffer) = randomBytes(16);
  return [
    [randomBytes(100)],
    [],
    frame({ runToken: 1n }),
    frame({ incarnation: 2n }),
    frame({ generation: generation.number - 1 }),
    corrupt,
  ];
}

test('a restarted broker costs a pause and no bit', { skip }, async (t) => {
  const cluster = await aCluster(t);
  assertExact(1, await exchange(cluster, 1));
  const second = exchange(cluster, 2);
  await cluster.server.stop();
  const again = await startNatsServer(file ?? '', ['-p', new URL(cluster.server.url).port]);
  t.after(() => again.stop());
  assertExact(2, await second);
  assertExact(3, await exchange(cluster, 3));
});

test('a killed broker ends every exchange with BrokerLost', { skip }, async (t) => {
  const cluster = await aCluster(t);
  assertExact(1, await exchange(cluster, 1));
  const start = performance.now();
  const lost = assert.rejects(exchange(cluster, 2), {
    code: 'BrokerLost',
    message: /NATS at 127\.0\.0\.1:\d+: .*not reachable for \d/,
  });
  await cluster.server.stop();
  await lost;
  t.diagnostic(`lost after ${((performance.now() - start) / 1000).toFixed(1)} s`);
  await assert.rejects(
    cluster.collectives[0]?.open({ generation, stage: 0, self: 0, layout, tensorSet, shards }) as Promise<void>,
  );
  await Promise.all(cluster.collectives.map((collective) => collective.close()));
});

test('wrong credentials are refused at once, with the reason', { skip }, async (t) => {
  const server = await startNatsServer(file ?? '', ['--auth', 'secret']);
  t.after(() => server.stop());
  const { port } = new URL(server.url);
  const options = { name: 'a', onLost() {}, onDrain() {} };
  const good = await connectNats({ ...options, url: `nats://secret@127.0.0.1:${port}` });
  await good.close();
  const bad = connectNats({ ...options, url: `nats://wrong@127.0.0.1:${port}` });
  await assert.rejects(bad, { code: 'BrokerLost', message: /Authorization Violation/ });
});
