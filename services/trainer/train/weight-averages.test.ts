import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { tensorLayout } from '@thaw/common/model/tensor-layout.ts';
import { decodeState, encodeState, enterStage, stateDigest, type TrainState } from './train-state.ts';
import { applyUpdate } from './update-rule.ts';
import { averagesOf, settleAverages, updateAverage } from './weight-averages.ts';

/** What Keras made of five weights under plain gradient descent: test/parity/keras/losses.py. */
const golden = new URL('../../../test/parity/keras/losses.golden.json', import.meta.url);
const { average: keras } = JSON.parse(await readFile(golden, 'utf8')) as {
  average: {
    readonly learningRate: number;
    readonly decay: number;
    readonly start: readonly number[];
    readonly gradients: readonly (readonly number[])[];
    readonly values: readonly (readonly number[])[];
    readonly averages: readonly (readonly number[])[];
  };
};

const spec = { name: 'head/a/kernel', shape: [5], role: 'kernel' } as const;
const optimizer = { kind: 'sgd' } as const;

function aState(start: readonly number[]): TrainState {
  const state: TrainState = new Map();
  const source = new Map([[spec.name, { shape: spec.shape, data: Float32Array.from(start) }]]);
  enterStage(state, [spec], { optimizer, reset: false, source });
  return state;
}

test("averages are those of Keras' use_ema after every update", () => {
  const state = aState(keras.start);
  const layout = tensorLayout([spec]);
  const rule = { optimizer, rateFactors: [1], roles: ['kernel' as const], l2: 0, l2sp: 0, pretrained: new Map() };
  assert.ok(keras.gradients.length > 2);
  for (const [i, gradient] of keras.gradients.entries()) {
    const sums = Int32Array.from(gradient, (value) => Math.round(value * 2 ** 24));
    applyUpdate(state, layout, {
      rule: { ...rule, clipNorm: null, emaDecay: keras.decay, stage: { index: 0, name: 'head' } },
      reduced: { step: i + 1, sums, exponents: Int32Array.of(24), weight: 1 },
      learningRate: keras.learningRate,
      buffers: { gradient: new Float64Array(layout.length) },
    });
    const found = averagesOf(state).get(spec.name)?.data ?? [];
    for (const [at, expected] of (keras.averages[i] ?? []).entries()) {
      assert.ok(Math.abs((found[at] as number) - expected) < 1e-6, `update ${i + 1}: ${found[at]}, Keras ${expected}`);
      assert.ok(Math.abs((state.get(spec.name)?.value[at] as number) - (keras.values[i]?.[at] as number)) < 1e-6);
    }
  }
});

/** The value is 3, the average of stage 1 is 2. */
function averagedState(): TrainState {
  const state = aState([1, 1, 1, 1, 1]);
  const tensor = state.get(spec.name) ?? assert.fail();
  tensor.value.fill(1);
  updateAverage(tensor, { stage: 1, decay: 0.5 });
  tensor.value.fill(3);
  updateAverage(tensor, { stage: 1, decay: 0.5 });
  return state;
}

test('a stored state holds both, whole, and the digest covers both', () => {
  const state = averagedState();
  const again = decodeState(encodeState(state, '{}'), 'stored');
  assert.deepEqual(again, state);
  assert.equal(stateDigest(again), stateDigest(state));
  again.get(spec.name)?.average?.values.fill(2.5);
  assert.notEqual(stateDigest(again), stateDigest(state));
});

test('averages become values in another stage, once, and stay averages in their own', () => {
  const state = averagedState();
  assert.equal(settleAverages(state, 1).size, 0);
  assert.deepEqual([state.get(spec.name)?.value[0], averagesOf(state).get(spec.name)?.data[0]], [3, 2]);
  assert.deepEqual([...settleAverages(state, 2).keys()], [spec.name]);
  assert.deepEqual([state.get(spec.name)?.value[0], averagesOf(state).size], [2, 0]);
  assert.equal(settleAverages(state, 3).size, 0);
});

test('a stage that is opened again keeps its averages', () => {
  const state = averagedState();
  enterStage(state, [spec], { optimizer, reset: true, source: new Map() });
  assert.equal(averagesOf(state).get(spec.name)?.data[0], 2);
});
