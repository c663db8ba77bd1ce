// Several real exchanges over a network of bytes in memory that drops, repeats, reorders and spoils frames as a seeded
// generator says. Time is a number. Every frame goes through the real codec.

import { tensorLayout } from '@thaw/common/model/tensor-layout.ts';
import { addFixedPoint, sumVectors, toFixedPoint } from '@thaw/proto/frames/announcement.ts';
import { decodeFrame, encodeHeader, type FrameHeader } from '@thaw/proto/frames/frame.ts';
import { createExchange, type Effect, type Exchange, type Outcome } from '@thaw/trainer/collective/core/exchange.ts';
import { type GeometryOptions, geometryOf, sendOrder } from '@thaw/trainer/collective/core/geometry.ts';
import { maximaOf, quantiseRange } from '@thaw/trainer/collective/core/gradient-sum.ts';
import type { StepBuffers } from '@thaw/trainer/collective/core/step-record.ts';

export interface NetworkOptions {
  readonly members: number;
  /** shardOwners[shard] */
  readonly shardOwners: readonly number[];
  readonly tensorLengths: readonly number[];
  readonly steps: number;
  readonly geometry: GeometryOptions;
  /** gradients[step][shard] */
  readonly gradients: readonly (readonly Float32Array[])[];
  /** Chance of each fault, 0 to 1, while faults last. */
  readonly faults: { readonly drop: number; readonly repeat: number; readonly spoil: number; readonly forge: number };
  /** Deliveries, and ticks without one, after which faults stop. */
  readonly faultyDeliveries: number;
  /** Numbers of a shard's statistics, at most and by default 2. */
  readonly measures?: (shard: number) => number;
  /** A number in [0, 1), seeded. */
  readonly random: () => number;
}

interface Member {
  readonly exchange: Exchange;
  readonly buffers: readonly [StepBuffers, StepBuffers];
  readonly sums: Int32Array[];
  readonly outcomes: Outcome[];
  readonly refused: Map<string, number>;
}

export interface NetworkResult {
  readonly members: readonly Member[];
  readonly deliveries: number;
  readonly sentBytes: number;
}

const runToken = 0x1122334455667788n;
const generation = 7;
const stage = 2;
const tickMilliseconds = 50;
const stallTicksMax = 4000;
const incarnationOf = (member: number): bigint => 0xaa00n + BigInt(member);

export function runNetwork(options: NetworkOptions): NetworkResult {
  const { members: count, tensorLengths, random } = options;
  const layout = tensorLayout(
    tensorLengths.map((length, i) => ({ name: `t${String(i).padStart(3, '0')}`, shape: [length] })),
  );
  const geometry = geometryOf(layout.length, count, options.geometry);
  const expected = {
    runToken,
    generation,
    stage,
    incarnations: Array.from({ length: count }, (_, i) => incarnationOf(i)),
  };
  const wire: { to: number; bytes: Uint8Array }[] = [];
  let deliveries = 0;
  let stalled = 0;
  let sentBytes = 0;
  const members = Array.from({ length: count }, (_, self): Member => {
    const vectors = (): StepBuffers => ({ parts: new Int32Array(layout.length), sums: new Int32Array(layout.length) });
    const { tensors, shards } = { tensors: tensorLengths.length, shards: options.shardOwners.length };
    return {
      exchange: createExchange({ geometry, self, tensors, tensorSet: 'ab'.repeat(32), shards }),
      buffers: [vectors(), vectors()],
      sums: [],
      outcomes: [],
      refused: new Map(),
    };
  });

  const begin = (self: number, step: number): void => {
    const member = members[self] as Member;
    const hosted = hostedGradients(options, self, step);
    // Leftovers of the step before the last must not show.
    const buffers = member.buffers[step % 2] as StepBuffers;
    buffers.sums.fill(-1);
    const fixed = hosted.reduce((total, _, i) => addFixedPoint(total, toFixedPoint(i + self + 0.1)), 0n);
    const sums = { count: BigInt(hosted.length), weight: toFixedPoint(hosted.length), loss: fixed, correct: 0n };
    const announcement = {
      acknowledgedPlan: 0,
      ...sums,
      tensorSet: 'ab'.repeat(32),
      maxima: maximaOf(layout, hosted),
      statistics: hostedStatistics(options, self),
    };
    carryOut(self, member.exchange.begin(step, announcement, buffers));
  };
  const carryOut = (self: number, effects: readonly Effect[]): void => {
    const member = members[self] as Member;
    for (const effect of effects) {
      switch (effect.kind) {
        case 'send':
          transmit(self, effect);
          break;
        case 'refused':
          note(member, effect.refusal.refused);
          break;
        case 'scaled':
          make(self, effect.step, effect.exponents);
          break;
        case 'done':
          member.outcomes.push(effect.outcome);
          member.sums.push((member.buffers[effect.outcome.step % 2] as StepBuffers).sums.slice());
          if (effect.outcome.step < options.steps) begin(self, effect.outcome.step + 1);
          break;
      }
    }
  };
  const make = (self: number, step: number, exponents: Int32Array): void => {
    const { exchange, buffers } = members[self] as Member;
    const target = (buffers[step % 2] as StepBuffers).parts;
    const order = sendOrder(geometry, self);
    const gradients = hostedGradients(options, self, step);
    for (const { start, end } of order) quantiseRange({ layout, exponents, gradients, target }, start, end);
    for (let made = 0; made < order.length; ) {
      made = Math.min(order.length, made + 1 + Math.floor(random() * 3));
      carryOut(self, exchange.made(step, made));
    }
  };
  const transmit = (self: number, { frame }: Extract<Effect, { kind: 'send' }>): void => {
    const header: FrameHeader = {
      ...frame,
      runToken,
      incarnation: incarnationOf(self),
      generation,
      source: self,
      stage,
    };
    const bytes = Buffer.concat([encodeHeader(header, frame.payload), frame.payload]);
    const targets = frame.to === 'everyone' ? members.keys() : [frame.to];
    for (const to of targets) {
      if (to === self) continue;
      sentBytes += bytes.length;
      wire.push({ to, bytes });
      if (isFaulty() && random() < options.faults.forge)
        wire.push({ to, bytes: forged(header, frame.payload, random) });
    }
  };
  const isFaulty = (): boolean => deliveries + stalled < options.faultyDeliveries;
  const deliver = (): void => {
    const at = isFaulty() ? Math.floor(random() * wire.length) : 0;
    const [taken] = wire.splice(at, 1);
    if (!taken) return;
    deliveries++;
    const { to, bytes } = taken;
    const { drop, repeat, spoil } = isFaulty() ? options.faults : { drop: 0, repeat: 0, spoil: 0 };
    if (random() < repeat) wire.push(taken);
    if (random() < drop) return;
    const member = members[to] as Member;
    const received = receiveBuffer(random() < spoil ? spoiled(bytes, random) : bytes);
    const frame = decodeFrame(received, expected);
    const effects = 'refused' in frame ? [] : member.exchange.receive(frame);
    if ('refused' in frame) note(member, frame.refused);
    received.fill(0);
    carryOut(to, effects);
  };

  for (const self of members.keys()) begin(self, 1);
  let now = 0;
  while (members.some(({ outcomes }) => outcomes.length < options.steps)) {
    if (wire.length > 0) deliver();
    else stalled++;
    if (stalled > stallTicksMax) throw new Error(`no end after ${now} ms: ${members.map((m) => m.outcomes.length)}`);
    if (wire.length > 0 && random() < 0.9) continue;
    now += tickMilliseconds;
    for (const [self, { exchange }] of members.entries()) carryOut(self, exchange.tick(now));
  }
  return { members, deliveries, sentBytes };
}

/** A number per shard that no float holds, and one that grows beyond 2^53. */
function hostedStatistics({ shardOwners, measures = () => 2 }: NetworkOptions, self: number): BigInt64Array {
  const hosted = shardOwners.flatMap((owner, shard) =>
    owner === self ? [statisticsOf(shard).subarray(0, measures(shard))] : [],
  );
  return sumVectors(hosted);
}

function statisticsOf(shard: number): BigInt64Array {
  return BigInt64Array.of(2n ** 55n + BigInt(shard), -3n * BigInt(shard));
}

function hostedGradients(options: NetworkOptions, self: number, step: number): Float32Array[] {
  return (options.gradients[step - 1] ?? []).filter((_, shard) => options.shardOwners[shard] === self);
}

function note({ refused }: Member, reason: string): void {
  refused.set(reason, (refused.get(reason) ?? 0) + 1);
}

/** Aligned as by the NATS client, and overwritten after the frame was taken, as there. A Buffer is the harder case. */
function receiveBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(new Uint8Array(bytes).buffer);
}

function spoiled(bytes: Uint8Array, random: () => number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const bit = Math.floor(random() * copy.length * 8);
  copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7));
  return copy.subarray(0, random() < 0.2 ? Math.floor(random() * copy.length) : copy.length);
}

/** Well formed, checksum and all, but of another run, process, generation, version or step. */
function forged(header: FrameHeader, payload: Uint8Array, random: () => number): Uint8Array {
  const other = Uint8Array.from(payload, (byte) => byte ^ 0x5a);
  const kinds: Partial<FrameHeader>[] = [
    { runToken: runToken + 1n },
    { incarnation: 0xbeefn },
    { generation: generation - 1 },
    { generation: generation + 1 },
    { step: header.step + 5 },
    { step: Math.max(0, header.step - 3) },
  ];
  const changed = kinds[Math.floor(random() * kinds.length)];
  const bytes = Buffer.concat([encodeHeader({ ...header, ...changed }, other), other]);
  return bytes;
}
