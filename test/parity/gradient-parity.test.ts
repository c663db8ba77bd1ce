// Every promised layer kind computes the same on every engine as on the plain JavaScript backend, forwards and backwards,
// and uses no kernels but those that its entry lists, so that a missing kernel is found before training.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { layerKinds } from '@thaw/common/model/layer-kinds.ts';
import { createEngine } from '@thaw/trainer/engine/create-engine.ts';
import { commonKernels, kernelsOf, layerExecutions } from '@thaw/trainer/model/layer-execution.ts';
import { batchCases, frozenCases, type LayerCase, layerCases } from '../support/layer-cases.ts';
import { layerGradients, layerOutput } from '../support/layer-gradients.ts';
import { relativeDistance } from '../support/tensor-distance.ts';
import { skipWithoutTensorflow } from '../support/tensorflow.ts';

const tolerance = 1e-5;
const skip = await skipWithoutTensorflow();
const engines = [
  { engine: 'tensorflow', skip },
  { engine: 'wasm', skip: false },
] as const;
/** Without wasm, which composes some of the listed kernels of others. */
const backends = skip ? ['cpu'] : ['cpu', 'tensorflow'];

before(async () => {
  for (const kind of ['wasm', 'cpu'] as const) await createEngine({ kind, threads: 1, gpus: 0 });
});

it('has a case and an execution for every layer kind', () => {
  const covered = new Set(['InputLayer', ...layerCases.flatMap(({ kinds }) => kinds)]);
  assert.deepEqual([...covered].sort(), Object.keys(layerKinds).sort());
  assert.deepEqual(Object.keys(layerExecutions).sort(), Object.keys(layerKinds).sort());
});

for (const { engine, skip } of engines) {
  describe(`on ${engine} and in plain JavaScript`, { skip }, () => {
    for (const layerCase of [...layerCases, ...batchCases]) {
      it(`${layerCase.name}: equal outputs and gradients`, async () => {
        assertClose(
          await onBackend(engine, () => layerGradients(layerCase)),
          await onBackend('cpu', () => layerGradients(layerCase)),
        );
      });
    }
    for (const layerCase of frozenCases) {
      it(`${layerCase.name}: equal outputs`, async () => {
        assertClose(
          await onBackend(engine, () => layerOutput(layerCase)),
          await onBackend('cpu', () => layerOutput(layerCase)),
        );
      });
    }
  });
}

it('a ReLU with ceiling 0 gives zero and lets no gradient through', async () => {
  const relu = layerCases.find(({ name }) => name === 'ReLU with ceiling 1') as LayerCase;
  const layers = relu.graph.layers.map((layer) =>
    layer.kind === 'ReLU' ? { ...layer, config: { max_value: 0 } } : layer,
  );
  const results = await onBackend('cpu', () => layerGradients({ ...relu, graph: { ...relu.graph, layers } }));
  for (const values of results.values()) assert.ok(values.every((value) => value === 0));
});

describe('kernels', () => {
  const usedByKind = new Map<string, Set<string>>();
  for (const layerCase of [...layerCases, ...batchCases]) {
    it(`${layerCase.name}: uses listed ones only`, async () => {
      const { graph } = layerCase;
      const listed = new Set([...commonKernels, ...graph.layers.flatMap(kernelsOf)]);
      for (const backend of backends) {
        const kernels = await kernelsUsed(backend, layerCase);
        assert.deepEqual(
          kernels.filter((kernel) => !listed.has(kernel)),
          [],
          backend,
        );
        for (const { kind } of graph.layers) {
          usedByKind.set(kind, new Set([...(usedByKind.get(kind) ?? []), ...kernels]));
        }
      }
    });
  }

  it('none is listed that no case of the kind uses', { skip }, () => {
    for (const [kind, { kernels }] of Object.entries(layerExecutions)) {
      const unused = kernels.filter((kernel) => !usedByKind.get(kind)?.has(kernel));
      assert.deepEqual(unused, [], kind);
    }
  });
});

type Results = ReadonlyMap<string, Float32Array>;

function assertClose(found: Results, expected: Results): void {
  for (const [name, values] of expected) {
    const distance = relativeDistance(found.get(name) ?? [], values);
    assert.ok(distance <= tolerance, `${name}: ${distance.toExponential(1)} of its norm apart`);
    const compared = values.some((value) => value !== 0);
    assert.ok(compared, `${name}: all zero, so nothing was compared`);
  }
}

async function onBackend<T>(backend: string, compute: () => T): Promise<T> {
  await tf.setBackend(backend);
  return compute();
}

async function kernelsUsed(backend: string, layerCase: LayerCase): Promise<string[]> {
  await tf.setBackend(backend);
  const { kernelNames } = await tf.profile(() => {
    layerGradients(layerCase);
    return tf.scalar(0);
  });
  // The profiler also gives names to what is no kernel, such as a function with its own gradient.
  return [...new Set(kernelNames)].filter((name) => tf.getKernel(name, backend));
}
