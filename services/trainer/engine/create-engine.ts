// Opens a compute backend and wraps it as an Engine. Nothing falls back: what the job asks for is there, or the reason
// is said.

import * as tf from '@tensorflow/tfjs-core';
import { invariant, ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { EngineKind, Preprocessing } from '@thaw/common/job/resolved-job.ts';
import type { Graph, Weights } from '@thaw/common/model/graph.ts';
import { commonKernels, kernelsOf } from '../model/layer-execution.ts';
import type { Engine, EngineClass, EngineModel, EngineOptions } from './engine.ts';
import { loadTensorflow } from './load-tensorflow.ts';
import { loadWasm } from './load-wasm.ts';
import { lossKernels } from './loss.ts';
import { createMomentsProgram } from './moments-program.ts';
import { createPrefixProgram, haveSameOperations } from './prefix-program.ts';
import { runtimeVersions } from './runtime-versions.ts';
import { createStageProgram } from './stage-program.ts';

const loaders: Readonly<Record<EngineKind, (options: EngineOptions) => Promise<EngineClass>>> = {
  tensorflow: loadTensorflow,
  wasm: loadWasm,
  cpu: loadCpu,
};

/** Throws SetupMissing (no addon) or EngineUnavailable (no GPU, say). One engine a process. */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const engineClass = await loaders[options.kind](options);
  tf.enableProdMode();
  await tf.setBackend(options.kind);
  await tf.ready();
  invariant(tf.getBackend() === options.kind, `the backend is ${tf.getBackend()}, not ${options.kind}`);
  return {
    engineClass,
    loadModel(graph, weights, preprocessing) {
      checkKernels(graph);
      return loadModel(graph, weights, preprocessing);
    },
    memory() {
      const { numTensors, numBytes } = tf.memory();
      return { tensors: numTensors, bytes: numBytes };
    },
  };
}

/** The plain JavaScript backend: slow, simple, the oracle that others are compared with. */
async function loadCpu({ threads, gpus }: EngineOptions): Promise<EngineClass> {
  if (gpus > 0)
    throw new ThawError('EngineUnavailable', 'engine "cpu" computes in JavaScript and uses no GPU; set gpus: 0');
  await import('@tensorflow/tfjs-backend-cpu');
  // tfjs-core by itself has operations and no gradients; its layers library brings them, as tfjs-node does.
  await import('@tensorflow/tfjs-layers');
  const version = `tfjs-backend-cpu ${tf.version_core}, ${runtimeVersions()}`;
  return { engine: 'cpu', version, device: 'CPU', cpuFeatures: '', threads };
}

function checkKernels(graph: Graph): void {
  const needed = new Map(commonKernels.map((kernel) => [kernel, 'the loss']));
  for (const layer of graph.layers) {
    for (const kernel of kernelsOf(layer)) needed.set(kernel, `${layer.kind} (${layer.path})`);
  }
  requireKernels(needed);
}

/** `users`: what needs the kernel, by kernel. */
function requireKernels(users: ReadonlyMap<string, string>): void {
  const backend = tf.getBackend();
  for (const [kernel, user] of users) {
    if (tf.getKernel(kernel, backend)) continue;
    throw new ThawError('EngineUnavailable', `engine "${backend}" has no kernel ${kernel}, which ${user} needs`);
  }
}

function loadModel(graph: Graph, weights: Weights, preprocessing: Preprocessing): EngineModel {
  const held = new Map<string, tf.Tensor>();
  const write = (values: Weights): void => {
    for (const [name, { shape, data }] of values) {
      held.get(name)?.dispose();
      // A copy, because a backend may keep the array that it is given, and read it later.
      held.set(name, tf.keep(tf.tensor(data.slice(), [...shape], 'float32')));
    }
  };
  write(weights);
  const value = (name: string): tf.Tensor => {
    const tensor = held.get(name);
    invariant(tensor !== undefined, `no value for ${name}`);
    return tensor;
  };
  const modelOf = (graph: Graph): EngineModel => ({
    graph,
    onGraph(other) {
      checkKernels(other);
      return modelOf(other);
    },
    stageProgram(options) {
      const { kind } = options.loss;
      requireKernels(new Map(lossKernels[kind].map((kernel) => [kernel, `the loss ${kind}`])));
      return createStageProgram({ ...options, graph, preprocessing, value });
    },
    canPass: ({ from, targets }) => haveSameOperations(graph, from, targets),
    prefixProgram: (options) => createPrefixProgram({ ...options, graph, preprocessing, value }),
    momentsProgram: (options) => createMomentsProgram({ ...options, graph, preprocessing, value }),
    readWeights: (names) =>
      new Map(
        names.map((name) => [name, { shape: value(name).shape, data: Float32Array.from(value(name).dataSync()) }]),
      ),
    writeWeights: write,
    dispose() {
      for (const tensor of held.values()) tensor.dispose();
      held.clear();
    },
  });
  return modelOf(graph);
}
