// One trainer of the all-reduce benchmark: a process of its own with a compute and a comms thread, as in a run. It
// makes float gradients, exchanges them, and turns the sums into floats; its parent says when.

import { createHash } from 'node:crypto';
import { tensorLayout } from '@thaw/common/model/tensor-layout.ts';
import { dequantise } from '@thaw/trainer/collective/core/gradient-sum.ts';
import { startCollectiveThread } from '../support/collective-thread.ts';

export interface MemberOptions {
  readonly natsUrl: string;
  readonly self: number;
  readonly members: number;
}

export type Order =
  | { readonly kind: 'open'; readonly generation: number; readonly elements: number }
  | { readonly kind: 'rounds'; readonly firstStep: number; readonly rounds: number }
  | { readonly kind: 'digest' }
  | { readonly kind: 'end' };

export interface Answer {
  /** Of each round, from float gradients to float sums. */
  readonly milliseconds: readonly number[];
  /** sha256 of the sums as floats, where it was asked for. */
  readonly digest: string;
}

const ready: Answer = { milliseconds: [], digest: '' };

const { natsUrl, self, members } = JSON.parse(process.argv[2] as string) as MemberOptions;
const incarnationOf = (member: number): string => (member + 1).toString(16).padStart(16, '0');
const thread = startCollectiveThread({
  natsUrl,
  uid: 'bench',
  runToken: '00000000000000b0',
  incarnation: incarnationOf(self),
  name: `member-${self}`,
});
const { collective } = thread;
/** As many tensors as the last blocks of a small network have. */
const tensors = 22;
let layout = tensorLayout([]);
let floats = new Float32Array(0);

async function open(generation: number, elements: number): Promise<void> {
  const each = Math.floor(elements / tensors);
  const shapes = Array.from({ length: tensors }, (_, i) => ({
    name: `tensor-${String(i).padStart(2, '0')}`,
    shape: [i === 0 ? elements - each * (tensors - 1) : each],
  }));
  layout = tensorLayout(shapes);
  floats = new Float32Array(elements);
  await collective.open({
    stage: 0,
    generation: {
      number: generation,
      firstStep: 1,
      members: Array.from({ length: members }, (_, i) => ({ incarnation: incarnationOf(i), name: `member-${i}` })),
      shardOwners: Array.from({ length: members }, (_, shard) => shard),
    },
    self,
    layout,
    tensorSet: generation.toString(16).padStart(64, '0'),
    shards: members,
  });
}

/** Gradients are written once: filling them belongs to the backward pass, not to the reduction. */
async function rounds(firstStep: number, count: number): Promise<Answer> {
  const milliseconds: number[] = [];
  for (let step = firstStep; step < firstStep + count; step++) {
    const gradient = collective.gradientBuffer(step, self);
    if (step === 1) for (let i = 0; i < gradient.length; i++) gradient[i] = Math.sin(i) / (self + 1);
    const start = performance.now();
    const result = await collective.exchange({
      step,
      acknowledgedPlan: 0,
      shards: [{ shard: self, count: 1, weight: 1, loss: 1, correct: 1 }],
    });
    dequantise(layout, result.exponents, result.sums, floats);
    milliseconds.push(performance.now() - start);
  }
  return { milliseconds, digest: '' };
}

process.on('message', async (order: Order) => {
  if (order.kind === 'open') {
    await open(order.generation, order.elements);
    process.send?.(ready);
  } else if (order.kind === 'digest') {
    process.send?.({
      milliseconds: [],
      digest: createHash('sha256').update(new Uint8Array(floats.buffer)).digest('hex'),
    });
  } else if (order.kind === 'rounds') {
    process.send?.(await rounds(order.firstStep, order.rounds));
  } else {
    await collective.close();
    await thread.close();
    process.disconnect();
  }
});
process.send?.(ready);
