import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, test } from 'node:test';
import type { Optimizer } from '@thaw/common/job/resolved-job.ts';
import { keyedStream } from '@thaw/common/random/stream.ts';
import { decayOf, slotNames, updateTensor } from './optimizers.ts';

const length = 200;
const updates = 50;
const learningRate = 0.01;
const goldenFile = path.join(import.meta.dirname, 'optimizers.golden.json');

/** One element's course under an optimizer in float64: gets the gradient and the value, returns the new value. */
type Reference = () => (gradient: number, value: number) => number;

/** Kingma & Ba's algorithm 1 with bias-corrected moments; Keras' epsilon is their section 2's epsilon hat. */
const adam =
  (beta1: number, beta2: number, epsilon: number, decay = 0): Reference =>
  () => {
    let [m, v, t] = [0, 0, 0];
    return (g, w) => {
      t += 1;
      m = beta1 * m + (1 - beta1) * g;
      v = beta2 * v + (1 - beta2) * g ** 2;
      const correction = 1 - beta2 ** t;
      const step = m / (1 - beta1 ** t) / (Math.sqrt(v / correction) + epsilon / Math.sqrt(correction));
      return w * (1 - learningRate * decay) - learningRate * step;
    };
  };

/** Sutskever et al. 2013, as keras.optimizers.SGD has it. */
const momentum =
  (rate: number, nesterov: boolean): Reference =>
  () => {
    let velocity = 0;
    return (g, w) => {
      velocity = velocity * rate - learningRate * g;
      return nesterov ? w + velocity * rate - learningRate * g : w + velocity;
    };
  };

/** keras.optimizers.RMSprop, not centred. */
const rmsprop =
  (rho: number, epsilon: number, rate: number): Reference =>
  () => {
    let [square, accumulated] = [0, 0];
    return (g, w) => {
      square += (1 - rho) * (g ** 2 - square);
      const increment = (learningRate * g) / Math.sqrt(square + epsilon);
      accumulated = rate * accumulated + increment;
      return w - (rate > 0 ? accumulated : increment);
    };
  };

const cases: readonly { readonly name: string; readonly optimizer: Optimizer; readonly reference: Reference }[] = [
  { name: 'sgd', optimizer: { kind: 'sgd' }, reference: () => (g, w) => w - learningRate * g },
  {
    name: 'momentum',
    optimizer: { kind: 'momentum', momentum: 0.9, nesterov: false },
    reference: momentum(0.9, false),
  },
  { name: 'nesterov', optimizer: { kind: 'momentum', momentum: 0.8, nesterov: true }, reference: momentum(0.8, true) },
  {
    name: 'adam',
    optimizer: { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
    reference: adam(0.9, 0.999, 1e-7),
  },
  {
    name: 'adam with a large epsilon',
    optimizer: { kind: 'adam', beta1: 0.8, beta2: 0.99, epsilon: 1e-2 },
    reference: adam(0.8, 0.99, 1e-2),
  },
  {
    name: 'adamw',
    optimizer: { kind: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weightDecay: 0.1 },
    reference: adam(0.9, 0.999, 1e-7, 0.1),
  },
  {
    name: 'rmsprop',
    optimizer: { kind: 'rmsprop', rho: 0.9, epsilon: 1e-7, momentum: 0 },
    reference: rmsprop(0.9, 1e-7, 0),
  },
  {
    name: 'rmsprop with momentum',
    optimizer: { kind: 'rmsprop', rho: 0.95, epsilon: 1e-3, momentum: 0.7 },
    reference: rmsprop(0.95, 1e-3, 0.7),
  },
];

/** Written out, because a power has other last bits in other JavaScript engines. */
const sizes = [1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5];

/** The gradients of a tensor over the updates: of all sizes, as trained networks give them. */
const recorded = Array.from({ length: updates }, (_, update) => {
  const stream = keyedStream(11, 'probe', 'gradients', update);
  return Float64Array.from(
    { length },
    (_unused, i) => (2 * stream.uniform() - 1) * (sizes[i % sizes.length] as number),
  );
});

function firstValues(): Float32Array {
  const stream = keyedStream(11, 'probe', 'values');
  return Float32Array.from({ length }, () => 2 * stream.uniform() - 1);
}

function trained(optimizer: Optimizer): { readonly value: Float32Array; readonly slots: Map<string, Float32Array> } {
  const value = firstValues();
  const slots = new Map(slotNames(optimizer).map((slot) => [slot, new Float32Array(length)]));
  for (const [i, gradient] of recorded.entries()) {
    updateTensor(optimizer, { value, slots, update: i + 1, gradient, learningRate, decay: decayOf(optimizer) });
  }
  return { value, slots };
}

function digestOf(optimizer: Optimizer): string {
  const { value, slots } = trained(optimizer);
  const hash = createHash('sha256').update(new Uint8Array(value.buffer));
  for (const slot of slots.values()) hash.update(new Uint8Array(slot.buffer));
  return hash.digest('hex');
}

describe(`after ${updates} updates`, () => {
  for (const { name, optimizer, reference } of cases) {
    test(`${name} is where its definition is in float64`, () => {
      const { value } = trained(optimizer);
      let [difference, norm] = [0, 0];
      for (const [i, first] of firstValues().entries()) {
        const update = reference();
        const expected = recorded.reduce((w, gradient) => update(gradient[i] as number, w), first);
        difference += ((value[i] as number) - expected) ** 2;
        norm += expected ** 2;
      }
      const distance = Math.sqrt(difference / norm);
      assert.ok(distance <= 1e-6, `${distance.toExponential(1)} of its norm apart`);
    });
  }

  test('values and slots have the recorded bits, in every run and on every machine', async () => {
    const digests = Object.fromEntries(cases.map(({ name, optimizer }) => [name, digestOf(optimizer)]));
    assert.deepEqual(Object.fromEntries(cases.map(({ name, optimizer }) => [name, digestOf(optimizer)])), digests);
    const text = `${JSON.stringify(digests, null, 2)}\n`;
    if (process.env.UPDATE_GOLDEN) await writeFile(goldenFile, text);
    assert.equal(text, await readFile(goldenFile, 'utf8'));
  });
});
