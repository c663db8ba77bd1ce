// Every loss has the value and the gradient that Keras gives it, per sample, on every engine: for one-hot and mixed
// targets, for rows that are very sure and right, and very sure and wrong. Keras' numbers are recorded, because Keras
// takes longer to start than all of this to run; UPDATE_GOLDEN=1 asks it again.

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import type { EngineKind, Loss } from '@thaw/common/job/resolved-job.ts';
import { createEngine } from '@thaw/trainer/engine/create-engine.ts';
import { lossKernels, sampleLosses } from '@thaw/trainer/engine/loss.ts';
import { commonKernels } from '@thaw/trainer/model/layer-execution.ts';
import { kerasPython } from '../../support/keras.ts';
import { skipWithoutTensorflow } from '../../support/tensorflow.ts';

interface Recorded {
  readonly losses: {
    readonly classes: number;
    readonly logits: readonly number[];
    readonly targets: readonly number[];
    readonly cases: readonly {
      readonly loss: Loss;
      readonly values: readonly number[];
      readonly gradient: readonly number[];
    }[];
  };
}

const tolerance = 2e-6;
const goldenFile = path.join(import.meta.dirname, 'losses.golden.json');
if (process.env.UPDATE_GOLDEN) await recordAgain();
const { losses } = JSON.parse(await readFile(goldenFile, 'utf8')) as Recorded;
const { classes } = losses;
const samples = losses.logits.length / classes;

async function recordAgain(): Promise<void> {
  const python = await kerasPython();
  if (typeof python === 'string') return assert.fail(python);
  const found = JSON.parse(await python.run(path.join(import.meta.dirname, 'losses.py'), [])) as unknown;
  await writeFile(goldenFile, `${JSON.stringify(found, null, 2)}\n`);
}

/** Per-sample losses, and the gradient of their sum. */
function lossesOf(loss: Loss, logits: readonly number[], targets: readonly number[]) {
  return tf.tidy(() => {
    const target = tf.tensor2d([...targets], [targets.length / classes, classes]);
    const x = tf.tensor2d([...logits], target.shape);
    const gradient = tf.grad((input: tf.Tensor) => tf.sum(sampleLosses(loss, input, target)))(x);
    return { values: [...sampleLosses(loss, x, target).dataSync()], gradient: [...gradient.dataSync()] };
  });
}

function assertNear(found: readonly number[], expected: readonly number[], what: string): void {
  assert.equal(found.length, expected.length);
  for (const [i, value] of found.entries()) {
    const wanted = expected[i] as number;
    const far = Math.abs(value - wanted) > tolerance * Math.max(1, Math.abs(wanted));
    assert.ok(!far, `${what} ${i} is ${value}; Keras has ${wanted}`);
  }
}

for (const kind of ['cpu', 'wasm', 'tensorflow'] as const satisfies readonly EngineKind[]) {
  describe(`losses on ${kind}`, { skip: kind === 'tensorflow' && (await skipWithoutTensorflow()) }, () => {
    for (const { loss, values, gradient } of losses.cases) {
      it(`${JSON.stringify(loss)} is what Keras has`, async () => {
        await createEngine({ kind, threads: 1, gpus: 0 });
        const found = lossesOf(loss, losses.logits, losses.targets);
        assertNear(found.values, values, 'the loss of sample');
        assertNear(found.gradient, gradient, 'the gradient at');
      });
    }

    for (const { loss } of losses.cases) {
      it(`${JSON.stringify(loss)} stays finite where a probability is 0 or 1`, async () => {
        await createEngine({ kind, threads: 1, gpus: 0 });
        const { values, gradient } = lossesOf(loss, [200, 0, 0, -200, 200, 0, 0, -200], [1, 0, 0, 0, 0, 0, 0, 1]);
        assert.ok([...values, ...gradient].every(Number.isFinite), `${values} ${gradient}`);
        assert.ok((values[0] as number) < (values[1] as number));
      });
    }
  });
}

it('a loss uses the kernels that are listed for it, and no others', async () => {
  await createEngine({ kind: 'cpu', threads: 1, gpus: 0 });
  for (const { loss } of losses.cases) {
    const profiled = await tf.profile(() => tf.tensor1d(lossesOf(loss, losses.logits, losses.targets).values));
    const used = [...new Set(profiled.kernelNames)].filter((name) => tf.getKernel(name, 'cpu'));
    const listed = [...commonKernels, ...lossKernels[loss.kind]];
    assert.deepEqual(
      used.filter((name) => !listed.includes(name)),
      [],
      loss.kind,
    );
  }
});

it('the recording has every kind of loss, and samples that are mixed', () => {
  assert.deepEqual(new Set(losses.cases.map(({ loss }) => loss.kind)), new Set(Object.keys(lossKernels)));
  assert.ok(samples >= 4 && losses.targets.some((share) => share > 0 && share < 1));
});
