// Runs a part of a graph. Compiling decides once which normalisations are folded into the layer before them; running
// walks the operations in the graph's order.

import type * as tf from '@tensorflow/tfjs-core';
import { invariant } from '@thaw/common/errors/thaw-error.ts';
import type { Graph, Layer } from '@thaw/common/model/graph.ts';
import { activationOf } from '@thaw/common/model/layer-config.ts';
import { activate } from './activation.ts';
import { type Affine, affineKinds, affineOf, applyAffine, type Values } from './affine.ts';
import { type Call, layerExecutions } from './layer-execution.ts';

export interface Operation {
  readonly layer: Layer;
  /** Normalisation folded into the layer; its path then names the output. */
  readonly normalization: Layer | null;
}

export interface RunOptions {
  readonly value: Values;
  readonly mask: Call['mask'];
  /** Kernel and bias of operations whose weights never change, computed once. */
  readonly constants?: ReadonlyMap<Operation, Affine> | undefined;
  /** Leaves the output layer's softmax away, for a loss on logits. */
  readonly logits?: boolean;
}

/** `paths`: layers to run, in the graph's order. `kept`: outputs that are read from outside. */
export function compile(graph: Graph, paths: readonly string[], kept: readonly string[]): Operation[] {
  const wanted = new Set(paths);
  const layers = graph.layers.filter(({ path }) => wanted.has(path));
  const folded = new Map<string, Layer>();
  for (const layer of layers) {
    const [input] = layer.inputs;
    const before = layers.find(({ path }) => path === input);
    if (layer.kind !== 'BatchNormalization' || !before || !affineKinds.has(before.kind)) continue;
    const readers = graph.layers.filter(({ inputs }) => inputs.includes(before.path));
    const hidden = !kept.includes(before.path) && readers.length === 1 && activationOf(before) === 'linear';
    if (hidden) folded.set(before.path, layer);
  }
  const swallowed = new Set([...folded.values()].map(({ path }) => path));
  return layers
    .filter(({ path }) => !swallowed.has(path))
    .map((layer) => ({ layer, normalization: folded.get(layer.path) ?? null }));
}

/** Runs the operations on `inputs` (by layer path) and returns every output by path. Call it inside tf.tidy. */
export function execute(
  operations: readonly Operation[],
  inputs: ReadonlyMap<string, tf.Tensor>,
  options: RunOptions,
): Map<string, tf.Tensor> {
  const outputs = new Map(inputs);
  for (const operation of operations) {
    const { layer, normalization } = operation;
    const fed = layer.inputs.map((path) => {
      const input = outputs.get(path);
      invariant(input !== undefined, `${layer.path} is run before its input ${path}`);
      return input;
    });
    if (layer.kind === 'InputLayer') continue;
    outputs.set(normalization?.path ?? layer.path, run(operation, fed, options));
  }
  return outputs;
}

function run(operation: Operation, inputs: readonly tf.Tensor[], options: RunOptions): tf.Tensor {
  const { layer, normalization } = operation;
  if (affineKinds.has(layer.kind)) {
    const affine = options.constants?.get(operation) ?? affineOf(layer, normalization, options.value);
    const product = applyAffine(layer, inputs[0] as tf.Tensor, affine);
    const isOutput = layer.path === 'head/output';
    return options.logits && isOutput ? product : activate(product, activationOf(layer));
  }
  const execution = layerExecutions[layer.kind];
  invariant(execution !== undefined, `no execution for ${layer.kind}`);
  return execution.run({ layer, inputs, value: options.value, mask: options.mask });
}
