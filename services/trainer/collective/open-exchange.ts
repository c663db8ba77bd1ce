// One opening of the collective in the comms thread: subscriptions, timer and shared buffers around one exchange. What
// the exchange wants sent is sent, what it has finished is told, and frames that do not belong here are counted.

import { decodeFrame, identity64, type RefusalReason } from '@thaw/proto/frames/frame.ts';
import { generationSubjects } from '@thaw/proto/frames/subjects.ts';
import type { NatsClient } from '../nats/nats-client.ts';
import { createExchange, type Effect } from './core/exchange.ts';
import { geometryOf } from './core/geometry.ts';
import { frameSender } from './frame-sender.ts';
import type { FromHost, Opening, ToHost } from './messages.ts';
import { refusalCounter } from './refusal-counter.ts';
import { buffers, bufferWords, stepBuffers } from './shared-buffers.ts';

export interface OpenExchangeOptions {
  readonly uid: string;
  readonly runToken: bigint;
  readonly incarnation: bigint;
  readonly opening: Opening;
  tell(message: FromHost): void;
  fail(thrown: unknown): void;
  onWaiting(who: string): void;
  onRefused(reason: RefusalReason, count: number): void;
}

export interface OpenExchange {
  begin(message: Extract<ToHost, { kind: 'begin' }>): void;
  made(message: Extract<ToHost, { kind: 'made' }>): void;
  drained(): void;
  leave(): void;
}

const tickMilliseconds = 50;

export function openExchange(client: NatsClient, options: OpenExchangeOptions): OpenExchange {
  const { opening, uid, runToken, incarnation, tell, fail } = options;
  const { generation, stage, self, memory, tensors, tensorSet, shards } = opening;
  const subjects = generationSubjects(uid, generation.number);
  const sender = frameSender(client, {
    runToken,
    incarnation,
    generation: generation.number,
    stage,
    source: self,
    subjects,
  });
  const expected = {
    runToken,
    generation: generation.number,
    stage,
    incarnations: generation.members.map((member) => identity64(member.incarnation, `incarnation of ${member.name}`)),
  };
  const geometry = geometryOf(opening.length, generation.members.length);
  const exchange = createExchange({ geometry, self, tensors, tensorSet, shards });
  const words = bufferWords(memory, generation.number);
  const refusals = refusalCounter(options.onRefused);
  const started = { begun: 0, scaled: 0, sentBytes: 0, receivedBytes: 0 };
  let receivedBytes = 0;
  let waiting = '';

  const carryOut = (effects: readonly Effect[]): void => {
    for (const effect of effects) {
      if (effect.kind === 'send') sender.send(effect.frame);
      else if (effect.kind === 'refused') refusals.add(effect.refusal.refused);
      else if (effect.kind === 'scaled') {
        started.scaled = performance.now();
        tell({ ...effect, opening: opening.opening });
      } else finished(effect);
    }
  };
  const finished = ({ outcome }: Extract<Effect, { kind: 'done' }>): void => {
    const now = performance.now();
    const scaled = started.scaled || now;
    words.share(buffers.sums, outcome.step);
    tell({
      kind: 'done',
      opening: opening.opening,
      outcome,
      seconds: { announce: (scaled - started.begun) / 1000, reduce: (now - scaled) / 1000 },
      bytes: { sent: sender.sentBytes - started.sentBytes, received: receivedBytes - started.receivedBytes },
    });
  };
  const onMessage = (bytes: Uint8Array): void => {
    try {
      receivedBytes += bytes.length;
      const frame = decodeFrame(bytes, expected);
      if ('refused' in frame) refusals.add(frame.refused);
      else carryOut(exchange.receive(frame));
    } catch (thrown) {
      fail(thrown);
    }
  };
  const tick = (): void => {
    try {
      const now = performance.now();
      carryOut(exchange.tick(now));
      refusals.tick(now);
      const names = exchange.waitingFor().map((member) => generation.members[member]?.name ?? `member ${member}`);
      const who = names.join(', ');
      if (who !== waiting) options.onWaiting(who);
      waiting = who;
    } catch (thrown) {
      fail(thrown);
    }
  };
  const subscriptions =
    generation.members.length > 1
      ? [client.subscribe(subjects.everyone, onMessage), client.subscribe(subjects.member(self), onMessage)]
      : [];
  const timer = setInterval(tick, tickMilliseconds);
  return {
    begin({ opening: number, step, announcement }) {
      if (number !== opening.opening) return;
      Object.assign(started, { begun: performance.now(), scaled: 0, sentBytes: sender.sentBytes, receivedBytes });
      words.free(buffers.parts, step);
      words.free(buffers.sums, step);
      words.fill(buffers.sums, step);
      carryOut(exchange.begin(step, announcement, stepBuffers(memory, step)));
    },
    made({ opening: number, step, chunks }) {
      if (number === opening.opening) carryOut(exchange.made(step, chunks));
    },
    drained: () => sender.drained(),
    leave() {
      clearInterval(timer);
      for (const unsubscribe of subscriptions.splice(0)) unsubscribe();
      if (waiting !== '') options.onWaiting('');
      refusals.tick(Number.POSITIVE_INFINITY);
    },
  };
}
