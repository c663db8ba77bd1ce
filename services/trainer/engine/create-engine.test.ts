import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { blockSize } from '@thaw/common/data/block-size.ts';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { plainCrossEntropy } from '@thaw/common/job/loss.ts';
import { commonKernels, kernelsOf } from '../model/layer-execution.ts';
import { drawnWeights, smallClasses, smallGraph, smallPreprocessing } from '../testing/small-network.ts';
import { createEngine } from './create-engine.ts';
import type { Engine } from './engine.ts';

const graph = smallGraph();
const weights = drawnWeights(graph);
let engine: Engine;

before(async () => {
  engine = await createEngine({ kind: 'cpu', threads: 1, gpus: 0 });
});

test('the plain engine has no GPU to offer', async () => {
  await assert.rejects(createEngine({ kind: 'cpu', threads: 1, gpus: 1 }), { name: 'ThawError(EngineUnavailable)' });
});

for (const [what, options, message] of [
  ['a GPU', { gpus: 1 }, 'engine "wasm" computes on the processor and uses no GPU; set gpus: 0'],
  ['two threads', { threads: 2 }, 'engine "wasm" computes on one thread; found trainers.threads 2'],
] as const) {
  test(`the wasm engine does not have ${what}`, async () => {
    const wanted = createEngine({ kind: 'wasm', threads: 1, gpus: 0, ...options });
    await assert.rejects(wanted, { name: 'ThawError(EngineUnavailable)', message });
  });
}

test('the wasm engine is a class of its own, which names its backend and the kind of processor', async () => {
  const { engineClass } = await createEngine({ kind: 'wasm', threads: 1, gpus: 0 });
  const { version, ...rest } = engineClass;
  assert.match(version, /^tfjs-backend-wasm \d\S*, node \d\S*, sharp \d\S*, libvips \d\S*$/);
  assert.deepEqual(rest, { engine: 'wasm', device: 'CPU', cpuFeatures: `wasm simd ${process.arch}`, threads: 1 });
  await tf.setBackend('cpu');
});

const missing = [
  { kernel: 'DepthwiseConv2dNativeBackpropFilter', user: 'DepthwiseConv2D (backbone/block2_depthwise)' },
  { kernel: 'Tanh', user: 'Dense (head/dense)' },
  { kernel: 'OneHot', user: 'the loss' },
];

for (const { kernel, user } of missing) {
  test(`a backend without ${kernel} is refused before training, for ${user}`, () => {
    const config = tf.getKernel(kernel, 'cpu') as tf.KernelConfig;
    tf.unregisterKernel(kernel, 'cpu');
    try {
      assert.throws(
        () => engine.loadModel(graph, weights, smallPreprocessing),
        (thrown) => {
          assert.ok(thrown instanceof ThawError && thrown.code === 'EngineUnavailable');
          assert.equal(thrown.message, `engine "cpu" has no kernel ${kernel}, which ${user} needs`);
          return true;
        },
      );
    } finally {
      tf.registerKernel(config);
    }
  });
}

test('a kernel that no layer of the network uses may be missing', () => {
  const config = tf.getKernel('Erf', 'cpu') as tf.KernelConfig;
  tf.unregisterKernel('Erf', 'cpu');
  try {
    engine.loadModel(graph, weights, smallPreprocessing).dispose();
  } finally {
    tf.registerKernel(config);
  }
});

test('a whole stage uses the listed kernels only', async () => {
  const model = engine.loadModel(graph, weights, smallPreprocessing);
  const { kernelNames } = await tf.profile(() => {
    const program = model.stageProgram({
      trainable: ['backbone/block2_bn/gamma', 'head/output/kernel'],
      seed: 1,
      blockSize,
      microBatch: 4,
      classes: smallClasses,
      loss: plainCrossEntropy,
    });
    const features = program.features(new Uint8Array(blockSize * 300));
    program.probabilities(features);
    const batch = {
      features: features.subarray(0, 4 * program.partition.boundaryFloats),
      labels: new Int32Array(4),
      weights: new Float32Array(4).fill(1),
      sampleIds: ['a', 'b', 'c', 'd'],
      epoch: 0,
    };
    program.gradients(batch, new Float32Array(program.layout.length));
    program.dispose();
    return tf.scalar(0);
  });
  model.dispose();
  const listed = new Set([...commonKernels, ...graph.layers.flatMap(kernelsOf)]);
  // The profiler also gives names to what is no kernel, such as a function with its own gradient.
  const kernels = [...new Set(kernelNames)].filter((name) => tf.getKernel(name, 'cpu'));
  assert.ok(kernels.includes('BatchMatMul'));
  assert.deepEqual(
    kernels.filter((kernel) => !listed.has(kernel)),
    [],
  );
});

test('the engine class names what else decides the bits: Node, and the image decoder', () => {
  const { version } = engine.engineClass;
  assert.match(version, /^tfjs-backend-cpu \d\S*, node \d\S*, sharp \d\S*, libvips \d\S*$/);
  assert.ok(version.includes(`node ${process.versions.node},`));
});
