// The collective as the compute thread uses it. This half looks at the gradients' magnitudes, quantises them chunk by
// chunk while the comms thread sends the chunks before, and waits on the port between.

import type { MessagePort } from 'node:worker_threads';
import { errorCodeOf } from '@thaw/common/errors/catalogue.ts';
import { invariant, ThawError } from '@thaw/common/errors/thaw-error.ts';
import { type Announcement, addFixedPoint, sumVectors, toFixedPoint } from '@thaw/proto/frames/announcement.ts';
import type { Collective, OpenOptions, StepContribution, StepResult } from './collective.ts';
import { type ChunkPlace, geometryOf, sendOrder } from './core/geometry.ts';
import { maximaOf, quantiseRange } from './core/gradient-sum.ts';
import { loadVectorKernels } from './core/vector-kernels.ts';
import type { FromHost, ToHost } from './messages.ts';
import {
  allocate,
  type BufferWords,
  buffers,
  bufferWords,
  gradientStrideBytes,
  type SharedMemory,
  stepBuffers,
} from './shared-buffers.ts';

interface Opened extends OpenOptions {
  readonly opening: number;
  readonly memory: SharedMemory;
  readonly words: BufferWords;
  readonly order: readonly ChunkPlace[];
  /** By hosted shard, in ascending order of the shard. */
  readonly gradients: ReadonlyMap<number, Float32Array>;
}

interface Waiter<T> {
  resolve(value: T): void;
  reject(error: ThawError): void;
}

interface State {
  readonly port: MessagePort;
  opened: Opened | null;
  memory: SharedMemory | null;
  openings: number;
  failure: ThawError | null;
  readonly opening: Waiter<void>[];
  readonly closing: Waiter<void>[];
  exchange: (Waiter<StepResult> & { readonly local: StepContribution }) | null;
}

/** One per port; startCollectiveHost serves the other end. Throws EngineUnavailable, see loadVectorKernels. */
export function collectiveClient(port: MessagePort): Collective {
  loadVectorKernels();
  const state: State = {
    port,
    opened: null,
    memory: null,
    openings: 0,
    failure: null,
    opening: [],
    closing: [],
    exchange: null,
  };
  port.on('message', (message: FromHost) => received(state, message));
  port.unref();
  return {
    open: (options) => open(state, options),
    gradientBuffer: (step, shard) => gradientBuffer(state, step, shard),
    exchange: (local) => exchange(state, local),
    close: () => close(state),
  };
}

async function open(state: State, options: OpenOptions): Promise<void> {
  abandon(state, 'the collective was opened anew');
  const { layout, generation, stage, self, shards, tensorSet } = options;
  const hosted = [...generation.shardOwners.keys()].filter((shard) => generation.shardOwners[shard] === self);
  const memory = allocate(layout.length, hosted.length, state.memory);
  const stride = gradientStrideBytes(layout.length);
  const gradients = new Map(
    hosted.map((shard, i) => [shard, new Float32Array(memory.gradients, i * stride, layout.length)]),
  );
  const opening = ++state.openings;
  const words = bufferWords(memory, generation.number);
  const order = sendOrder(geometryOf(layout.length, generation.members.length), self);
  const { length, entries } = layout;
  const shared = { opening, generation, stage, self, length, tensors: entries.length, tensorSet, shards, memory };
  await request(state, state.opening, { kind: 'open', opening: shared });
  state.memory = memory;
  state.opened = { ...options, opening, memory, words, order, gradients };
}

function gradientBuffer({ opened }: State, step: number, shard: number): Float32Array {
  invariant(opened !== null, 'gradientBuffer before open');
  const gradient = opened.gradients.get(shard);
  invariant(gradient !== undefined, `shard ${shard} is not hosted by member ${opened.self}`);
  if (!opened.words.isFilling(buffers.gradients, step)) opened.words.fill(buffers.gradients, step);
  return gradient;
}

function exchange(state: State, local: StepContribution): Promise<StepResult> {
  const { opened } = state;
  invariant(opened !== null, 'exchange before open');
  invariant(state.exchange === null, `exchange of step ${local.step} while another is under way`);
  const given = local.shards.map(({ shard }) => shard).sort((a, b) => a - b);
  const hosted = [...opened.gradients.keys()];
  invariant(
    given.length === hosted.length && given.every((shard, i) => shard === hosted[i]),
    `step ${local.step} brings shards ${given}; this member hosts ${hosted}`,
  );
  return new Promise((resolve, reject) => {
    if (state.failure) return reject(state.failure);
    if (hosted.length > 0) opened.words.share(buffers.gradients, local.step);
    state.exchange = { resolve, reject, local };
    post(state, {
      kind: 'begin',
      opening: opened.opening,
      step: local.step,
      announcement: announcementOf(opened, local),
    });
  });
}

function announcementOf(opened: Opened, { shards, acknowledgedPlan }: StepContribution): Announcement {
  const sum = (field: 'weight' | 'loss' | 'correct'): bigint =>
    shards.reduce((total, shard) => addFixedPoint(total, toFixedPoint(shard[field])), 0n);
  return {
    acknowledgedPlan,
    count: shards.reduce((total, { count }) => total + BigInt(count), 0n),
    weight: sum('weight'),
    loss: sum('loss'),
    correct: sum('correct'),
    tensorSet: opened.tensorSet,
    maxima: maximaOf(opened.layout, [...opened.gradients.values()]),
    statistics: sumVectors(shards.map(({ statistics = new BigInt64Array(0) }) => statistics)),
  };
}

async function close(state: State): Promise<void> {
  abandon(state, 'the collective was closed');
  if (!state.opened || state.failure) return;
  state.opened = null;
  await request(state, state.closing, { kind: 'close' });
}

/** Ends what is under way: an opening that was not answered yet, an exchange. */
function abandon(state: State, because: string): void {
  const { exchange: pending } = state;
  state.exchange = null;
  for (const waiter of state.opening.splice(0)) {
    waiter.reject(new ThawError('Cancelled', `the opening was given up: ${because}`));
  }
  pending?.reject(new ThawError('Cancelled', `the exchange of step ${pending.local.step} was given up: ${because}`));
}

function received(state: State, message: FromHost): void {
  const isCurrent = !('opening' in message) || message.opening === state.openings;
  if (!isCurrent) return;
  switch (message.kind) {
    case 'opened':
      state.opening.shift()?.resolve();
      break;
    case 'closed':
      state.closing.shift()?.resolve();
      break;
    case 'scaled':
      makeParts(state, message.step, message.exponents);
      break;
    case 'done':
      finish(state, message);
      break;
    case 'failed':
      fail(state, new ThawError(errorCodeOf(message.code), message.message));
      break;
  }
  if (!isWaiting(state)) state.port.unref();
}

/** Quantises along the send order; the comms thread hears of each chunk as soon as it can leave. */
function makeParts(state: State, step: number, exponents: Int32Array): void {
  const { opened } = state;
  if (!opened || state.exchange?.local.step !== step) return;
  const { layout, words, order, memory, opening } = opened;
  const target = stepBuffers(memory, step).parts;
  const sum = { layout, exponents, gradients: [...opened.gradients.values()], target };
  words.fill(buffers.parts, step);
  for (const [i, { start, end }] of order.entries()) {
    quantiseRange(sum, start, end);
    post(state, { kind: 'made', opening, step, chunks: i + 1 });
  }
  words.share(buffers.parts, step);
}

function finish(state: State, { outcome, seconds, bytes }: Extract<FromHost, { kind: 'done' }>): void {
  const { opened, exchange: pending } = state;
  if (!opened || pending?.local.step !== outcome.step) return;
  opened.words.free(buffers.gradients, outcome.step);
  state.exchange = null;
  const { sums } = stepBuffers(opened.memory, outcome.step);
  pending.resolve({ ...outcome, sums, seconds, bytes });
}

function fail(state: State, failure: ThawError): void {
  state.failure ??= failure;
  for (const waiter of state.opening.splice(0)) waiter.reject(state.failure);
  // As when it is closed after the failure: nothing is open any more.
  for (const waiter of state.closing.splice(0)) waiter.resolve();
  state.exchange?.reject(state.failure);
  state.exchange = null;
}

function request(state: State, waiters: Waiter<void>[], message: ToHost): Promise<void> {
  return new Promise((resolve, reject) => {
    if (state.failure) return reject(state.failure);
    waiters.push({ resolve, reject });
    post(state, message);
  });
}

function post(state: State, message: ToHost): void {
  if (isWaiting(state)) state.port.ref();
  state.port.postMessage(message);
}

function isWaiting({ opening, closing, exchange: pending }: State): boolean {
  return opening.length > 0 || closing.length > 0 || pending !== null;
}
