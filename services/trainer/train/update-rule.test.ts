import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { Optimizer } from '@thaw/common/job/resolved-job.ts';
import type { WeightRole } from '@thaw/common/model/graph.ts';
import { tensorLayout } from '@thaw/common/model/tensor-layout.ts';
import { slotNames } from './optimizers.ts';
import type { TrainState } from './train-state.ts';
import { type Applied, applyUpdate, type UpdateRule } from './update-rule.ts';

interface Named {
  readonly role: WeightRole;
  readonly value: number[];
  /** Sum over the samples. */
  readonly gradient: number[];
}

const exponent = 20;
const sgd: Optimizer = { kind: 'sgd' };

/** Two tensors of the head and one of the backbone, in byte order of the names. */
const tensors: Readonly<Record<string, Named>> = {
  'backbone/a/kernel': { role: 'kernel', value: [1, -2], gradient: [4, 0] },
  'head/b/bias': { role: 'bias', value: [0.5], gradient: [-8] },
  'head/b/kernel': { role: 'kernel', value: [3, 4], gradient: [2, 2] },
};
/** The same without a gradient from the data. */
const still = Object.fromEntries(
  Object.entries(tensors).map(([name, tensor]) => [name, { ...tensor, gradient: tensor.gradient.map(() => 0) }]),
);
const pretrained = new Map([['backbone/a/kernel', { shape: [2], data: Float32Array.of(1.5, -2) }]]);

interface Changes {
  readonly tensors?: Readonly<Record<string, Named>>;
  readonly rule?: Partial<UpdateRule>;
  readonly weight?: number;
  readonly learningRate?: number;
  readonly step?: number;
}

/** Applies one update and returns every tensor's values with what was reported. */
function update(changes: Changes = {}): { values: Record<string, number[]>; applied: Applied; state: TrainState } {
  const { tensors: given = tensors, rule = {}, weight = 2, learningRate = 1, step = 3 } = changes;
  const names = Object.keys(given);
  const layout = tensorLayout(names.map((name) => ({ name, shape: [(given[name] as Named).value.length] })));
  const optimizer = rule.optimizer ?? sgd;
  const state: TrainState = new Map(
    Object.entries(given).map(([name, { value }]) => {
      const slots = new Map(slotNames(optimizer).map((slot) => [slot, new Float32Array(value.length)]));
      return [name, { shape: [value.length], value: Float32Array.from(value), slots, updates: 0 }];
    }),
  );
  const sums = new Int32Array(layout.length);
  for (const { name, offset } of layout.entries) {
    sums.set(
      (given[name] as Named).gradient.map((sum) => sum * 2 ** exponent),
      offset,
    );
  }
  const exponents = new Int32Array(names.length).fill(exponent);
  const whole: UpdateRule = {
    optimizer,
    rateFactors: names.map(() => 1),
    roles: layout.entries.map(({ name }) => (given[name] as Named).role),
    l2: 0,
    l2sp: 0,
    pretrained,
    clipNorm: null,
    emaDecay: null,
    stage: { index: 1, name: 'blocks' },
    ...rule,
  };
  const reduced = { step, sums, exponents, weight };
  const buffers = { gradient: new Float64Array(layout.length) };
  const applied = applyUpdate(state, layout, { rule: whole, reduced, learningRate, buffers });
  return { values: Object.fromEntries([...state].map(([name, { value }]) => [name, [...value]])), applied, state };
}

test('the gradient is the mean over the samples', () => {
  const { values, applied } = update({ weight: 4, learningRate: 0.5 });
  assert.deepEqual(values, {
    'backbone/a/kernel': [1 - 0.5, -2],
    'head/b/bias': [0.5 + 1],
    'head/b/kernel': [3 - 0.25, 4 - 0.25],
  });
  assert.equal(applied.penalty, 0);
  assert.equal(applied.gradientNorm, Math.sqrt(1 + 4 + 0.25 + 0.25));
});

test('L2 draws kernels to zero, once, whatever the number of samples', () => {
  for (const weight of [1, 64]) {
    const { values, applied } = update({ tensors: still, weight, rule: { l2: 0.5 } });
    assert.deepEqual(values, {
      'backbone/a/kernel': [0.5, -1],
      'head/b/bias': [0.5],
      'head/b/kernel': [1.5, 2],
    });
    assert.equal(applied.penalty, (0.5 / 2) * (1 + 4 + 9 + 16));
  }
});

test('L2-SP draws the backbone to its pretrained values, and the head to zero', () => {
  const { values, applied } = update({ tensors: still, rule: { l2sp: 0.5 } });
  assert.deepEqual(values, {
    'backbone/a/kernel': [1.25, -2],
    'head/b/bias': [0.25],
    'head/b/kernel': [1.5, 2],
  });
  assert.equal(applied.penalty, (0.5 / 2) * (0.25 + 0.25 + 9 + 16));
});

test('one norm over all tensors is clipped, penalties included', () => {
  const given: Readonly<Record<string, Named>> = {
    'head/b/bias': { role: 'bias', value: [0], gradient: [3] },
    'head/b/kernel': { role: 'kernel', value: [8], gradient: [0] },
  };
  const { values, applied } = update({ tensors: given, weight: 1, rule: { l2: 0.5, clipNorm: 1 } });
  assert.equal(applied.gradientNorm, 5);
  assert.deepEqual(values, { 'head/b/bias': [Math.fround(-3 / 5)], 'head/b/kernel': [Math.fround(8 - 4 / 5)] });
  const below = update({ tensors: given, weight: 1, rule: { l2: 0.5, clipNorm: 5 } });
  assert.deepEqual(below.values, { 'head/b/bias': [-3], 'head/b/kernel': [4] });
});

test('decay is decoupled from the gradient and spares biases', () => {
  const optimizer: Optimizer = { kind: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weightDecay: 0.25 };
  const { values } = update({ tensors: still, learningRate: 0.5, rule: { optimizer } });
  assert.deepEqual(values, {
    'backbone/a/kernel': [1 - 0.125, -2 + 0.25],
    'head/b/bias': [0.5],
    'head/b/kernel': [3 - 0.375, 4 - 0.5],
  });
});

test('each tensor has its factor on the learning rate', () => {
  const { values } = update({ learningRate: 0.5, rule: { rateFactors: [0.25, 1, 1] } });
  assert.deepEqual(values, {
    'backbone/a/kernel': [1 - 0.25, -2],
    'head/b/bias': [0.5 + 2],
    'head/b/kernel': [3 - 0.5, 4 - 0.5],
  });
});

test('every tensor counts its updates', () => {
  const { state } = update();
  assert.deepEqual(
    [...state.values()].map(({ updates }) => updates),
    [1, 1, 1],
  );
});

const nonFinite: readonly { name: string; changes: Changes; tensor: string; message: RegExp }[] = [
  {
    name: 'a value',
    changes: { learningRate: 1e39 },
    tensor: 'backbone/a/kernel',
    message: /^stage "blocks", step 3: backbone\/a\/kernel became NaN or infinite/,
  },
  {
    name: "an optimizer's slot",
    changes: {
      tensors: { 'head/b/kernel': { role: 'kernel', value: [1e30], gradient: [1] } },
      rule: { l2: 1, optimizer: { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 } },
    },
    tensor: 'head/b/kernel',
    message: /^stage "blocks", step 3: the optimizer's v of head\/b\/kernel became NaN or infinite/,
  },
];

for (const { name, changes, tensor, message } of nonFinite) {
  test(`${name} that is not finite any more fails the job and names stage, step and tensor`, () => {
    assert.throws(
      () => update(changes),
      (thrown) => {
        assert.ok(thrown instanceof ThawError && thrown.code === 'NonFinite');
        assert.match(thrown.message, message);
        assert.deepEqual(thrown.data, { stage: 1, step: 3, tensor });
        return true;
      },
    );
  });
}

test('there is no update without samples', () => {
  assert.throws(() => update({ weight: 0 }), /an update without samples/);
});
