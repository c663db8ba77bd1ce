// Every promised layer kind computes the same on TensorFlow as on the plain JavaScript backend, forwards and backwards,
// and uses only the kernels that its entry lists, so that a missing kernel is found before training.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { layerKinds } from '@thaw/common/model/layer-kinds.ts';
import { createEngine } from '@thaw/trainer/engine/create-engine.ts';
import { commonKernels, layerExecutions } from '@thaw/trainer/model/layer-execution.ts';
import { layerCases } from '../support/layer-cases.ts';
import { layerGradients } from '../support/layer-gradients.ts';
import { relativeDistance } from '../support/tensor-distance.ts';
import { skipWithoutTensorflow } from '../support/tensorflow.ts';

const tolerance = 1e-5;
const skip = await skipWithoutTensorflow();

before(async () => {
  await createEngine({ kind: 'cpu', threads: 1, gpus: 0 });
});

it('has a case and an execution for every layer kind', () => {
  const covered = new Set(['InputLayer', ...layerCases.flatMap(({ kinds }) => kinds)]);
  assert.deepEqual([...covered].sort(), Object.keys(layerKinds).sort());
  assert.deepEqual(Object.keys(layerExecutions).sort(), Object.keys(layerKinds).sort());
});

describe('on TensorFlow and on plain JavaScript', { skip }, () => {
  for (const layerCase of layerCases) {
    it(`${layerCase.name}: equal outputs and gradients`, async () => {
      const [found, expected] = [await onBackend('tensorflow', layerCase), await onBackend('cpu', layerCase)];
      for (const [name, values] of expected.results) {
        const distance = relativeDistance(found.results.get(name) ?? [], values);
        assert.ok(distance <= tolerance, `${name}: ${distance.toExponential(1)} of its norm apart`);
        assert.ok(
          values.some((value) => value !== 0),
          `${name}: all zero, so nothing was compared`,
        );
      }
    });
  }
});

describe('kernels', () => {
  for (const layerCase of layerCases) {
    it(`${layerCase.name}: uses listed ones only`, async () => {
      const { graph } = layerCase;
      const listed = new Set([...commonKernels, ...graph.layers.flatMap(({ kind }) => layerExecutions[kind]?.kernels)]);
      for (const backend of skip ? ['cpu'] : ['cpu', 'tensorflow']) {
        const { kernels } = await onBackend(backend, layerCase);
        const missing = kernels.filter((kernel) => !listed.has(kernel));
        assert.deepEqual(missing, [], backend);
      }
    });
  }
});

async function onBackend(backend: string, layerCase: (typeof layerCases)[number]) {
  await tf.setBackend(backend);
  let results = new Map<string, Float32Array>();
  const { kernelNames } = await tf.profile(() => {
    results = layerGradients(layerCase);
    return tf.scalar(0);
  });
  // `forward` is how the profiler calls a function with a gradient of its own.
  return { results, kernels: [...new Set(kernelNames)].filter((name) => name !== 'forward') };
}
