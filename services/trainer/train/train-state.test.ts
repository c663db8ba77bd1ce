import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Optimizer } from '@thaw/common/job/resolved-job.ts';
import type { WeightSpec, Weights } from '@thaw/common/model/graph.ts';
import { readSafetensors, writeSafetensors } from '@thaw/common/tensors/safetensors.ts';
import fc from 'fast-check';
import { decodeState, encodeState, enterStage, stateDigest, type TensorState, type TrainState } from './train-state.ts';

const kernel: WeightSpec = { name: 'head/a/kernel', shape: [2], role: 'kernel' };
const bias: WeightSpec = { name: 'head/a/bias', shape: [1], role: 'bias' };
const source: Weights = new Map([
  [kernel.name, { shape: [2], data: Float32Array.of(1, 2) }],
  [bias.name, { shape: [1], data: Float32Array.of(3) }],
]);

const adam: Optimizer = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };
const adamw: Optimizer = { ...adam, kind: 'adamw', weightDecay: 0.01 };
const momentum: Optimizer = { kind: 'momentum', momentum: 0.9, nesterov: false };
const sgd: Optimizer = { kind: 'sgd' };

/** The kernel after some updates with an optimizer: 7, with slots of 9. */
function trainedKernel(optimizer: Optimizer): TrainState {
  const state: TrainState = new Map();
  enterStage(state, [kernel], { optimizer, reset: true, source });
  const tensor = state.get(kernel.name) as TensorState;
  tensor.value.fill(7);
  for (const slot of tensor.slots.values()) slot.fill(9);
  tensor.updates = 5;
  return state;
}

test('a stage starts what it trains at the source, with zero slots, and leaves the source alone', () => {
  const state: TrainState = new Map();
  enterStage(state, [kernel, bias], { optimizer: adam, reset: false, source });
  const tensor = state.get(kernel.name) as TensorState;
  assert.deepEqual([...tensor.value], [1, 2]);
  assert.deepEqual([...tensor.slots].map(([name, slot]) => [name, ...slot]), [['m', 0, 0], ['v', 0, 0]]); // biome-ignore format: one slot a row
  assert.equal(tensor.updates, 0);
  tensor.value[0] = 5;
  assert.equal(source.get(kernel.name)?.data[0], 1);
});

const entries: readonly { first: Optimizer; next: Optimizer; reset: boolean; slots: string[]; updates: number }[] = [
  { first: adam, next: adam, reset: false, slots: ['m 9', 'v 9'], updates: 5 },
  { first: adam, next: adamw, reset: false, slots: ['m 9', 'v 9'], updates: 5 },
  { first: adam, next: adam, reset: true, slots: ['m 0', 'v 0'], updates: 0 },
  { first: adam, next: momentum, reset: false, slots: ['velocity 0'], updates: 0 },
  { first: adam, next: sgd, reset: false, slots: [], updates: 5 },
  { first: sgd, next: adam, reset: false, slots: ['m 0', 'v 0'], updates: 0 },
];

for (const { first, next, reset, slots, updates } of entries) {
  test(`from ${first.kind} to ${next.kind}, ${reset ? 'reset' : 'kept'}: slots [${slots}], ${updates} updates`, () => {
    const state = trainedKernel(first);
    enterStage(state, [kernel, bias], { optimizer: next, reset, source });
    const tensor = state.get(kernel.name) as TensorState;
    assert.deepEqual([...tensor.value], [7, 7]);
    assert.deepEqual(
      [...tensor.slots].map(([name, slot]) => `${name} ${slot[0]}`),
      slots,
    );
    assert.equal(tensor.updates, updates);
    assert.equal(state.get(bias.name)?.updates, 0);
  });
}

test('a tensor that a later stage freezes stays in the state', () => {
  const state = trainedKernel(adam);
  enterStage(state, [bias], { optimizer: adam, reset: true, source });
  assert.deepEqual([...(state.get(kernel.name) as TensorState).value], [7, 7]);
});

const anyTensor = fc.array(fc.float({ noNaN: true }), { minLength: 1, maxLength: 5 }).chain((values) =>
  fc.record({
    value: fc.constant(Float32Array.from(values)),
    slot: fc.constantFrom('m', 'velocity'),
    updates: fc.nat(1000),
  }),
);
const anyState = fc.dictionary(fc.stringMatching(/^(head|backbone)\/[a-z/]{1,8}$/), anyTensor).map(
  (tensors): TrainState =>
    new Map(
      Object.entries(tensors).map(([name, { value, slot, updates }]) => {
        const slots = new Map([[slot, value.map((number) => number / 2)]]);
        return [name, { shape: [value.length], value, slots, updates }];
      }),
    ),
);

test('a state that was stored and read is the same, bit for bit', () => {
  fc.assert(
    fc.property(anyState, fc.string(), (state, schedule) => {
      const bytes = encodeState(state, schedule);
      const read = decodeState(bytes, 'a state');
      assert.deepEqual(new Map([...read].sort()), new Map([...state].sort()));
      assert.equal(stateDigest(read), stateDigest(state));
      assert.equal(readSafetensors(bytes, 'a state').metadata.schedule, schedule);
    }),
  );
});

test('the digest sees value, slot, count and name', () => {
  const change = (alter: (tensor: TensorState) => void): string => {
    const state = trainedKernel(adam);
    alter(state.get(kernel.name) as TensorState);
    return stateDigest(state);
  };
  const renamed = new Map([['head/b/kernel', trainedKernel(adam).get(kernel.name) as TensorState]]);
  const digests = [
    change(() => {}),
    change(({ value }) => value.set([-0], 0)),
    change(({ slots }) => slots.get('v')?.set([1], 1)),
    change((tensor) => {
      tensor.updates += 1;
    }),
    stateDigest(renamed),
  ];
  assert.equal(new Set(digests).size, digests.length);
  assert.equal(digests[0], stateDigest(trainedKernel(adam)));
});

test('another version, or another kind of file, is refused by name', () => {
  for (const metadata of [{ kind: 'thaw-state', version: '2' }, { kind: 'weights', version: '1' }, {}]) {
    const bytes = writeSafetensors(new Map(), metadata as Record<string, string>);
    assert.throws(() => decodeState(bytes, 'out/best'), {
      name: 'ThawError(VersionUnknown)',
      message: /^out\/best: found (thaw-state version 2|weights version 1|no kind version none); this Thaw reads/,
    });
  }
});
