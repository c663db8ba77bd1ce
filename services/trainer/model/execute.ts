// Runs a part of a graph. Compiling decides once which normalisations are folded into the layer before them and when
// an output is read for the last time; running walks the operations in the graph's order.

import * as tf from '@tensorflow/tfjs-core';
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
  /** Outputs that nothing reads after this operation. */
  readonly lastReads: readonly string[];
}

export interface RunOptions {
  readonly value: Values;
  readonly mask: Call['mask'];
  readonly moments?: Call['moments'];
  /** Kernel and bias of operations whose weights never change, computed once. */
  readonly constants?: ReadonlyMap<Operation, Affine> | undefined;
  /** Path of the output layer whose activation is left away, for a loss on logits. */
  readonly logitsOf?: string | undefined;
  /** Without a tape: frees every intermediate after its last reader, the inputs included. */
  readonly inference?: boolean;
}

/**
 * `paths`: layers to run, in the graph's order. `kept`: outputs that are read from outside. `apart`: normalisations that
 * see their own input, so that they cannot be folded away.
 */
export function compile(
  graph: Graph,
  paths: readonly string[],
  kept: readonly string[],
  apart: ReadonlySet<string> = new Set(),
): Operation[] {
  const wanted = new Set(paths);
  const layers = graph.layers.filter(({ path }) => wanted.has(path));
  const folded = new Map<string, Layer>();
  for (const layer of layers) {
    const [input] = layer.inputs;
    const before = layers.find(({ path }) => path === input);
    if (layer.kind !== 'BatchNormalization' || !before || !affineKinds.has(before.kind)) continue;
    if (apart.has(layer.path)) continue;
    const readers = graph.layers.filter(({ inputs }) => inputs.includes(before.path));
    const hidden = !kept.includes(before.path) && readers.length === 1 && activationOf(before) === 'linear';
    if (hidden) folded.set(before.path, layer);
  }
  const swallowed = new Set([...folded.values()].map(({ path }) => path));
  const run = layers.filter(({ path, kind }) => !swallowed.has(path) && kind !== 'InputLayer');
  const lastReader = new Map(run.flatMap(({ path, inputs }) => inputs.map((input) => [input, path])));
  return run.map((layer) => ({
    layer,
    normalization: folded.get(layer.path) ?? null,
    lastReads: [...new Set(layer.inputs)].filter(
      (input) => lastReader.get(input) === layer.path && !kept.includes(input),
    ),
  }));
}

/** Runs the operations on `inputs` (by layer path) and returns the outputs by path. Call it inside tf.tidy. */
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
    const output = options.inference ? tf.tidy(() => run(operation, fed, options)) : run(operation, fed, options);
    // Without a copy the output could be the very tensor that is freed below, as with a linear activation.
    const own = options.inference && fed.includes(output) ? tf.clone(output) : output;
    outputs.set(normalization?.path ?? layer.path, own);
    if (!options.inference) continue;
    for (const path of operation.lastReads) outputs.get(path)?.dispose();
  }
  return outputs;
}

function run(operation: Operation, inputs: readonly tf.Tensor[], options: RunOptions): tf.Tensor {
  const { layer, normalization } = operation;
  if (affineKinds.has(layer.kind)) {
    const affine = options.constants?.get(operation) ?? affineOf(layer, normalization, options.value);
    const product = applyAffine(layer, inputs[0] as tf.Tensor, affine);
    return options.logitsOf === layer.path ? product : activate(product, activationOf(layer));
  }
  if (options.logitsOf === layer.path) return inputs[0] as tf.Tensor;
  const execution = layerExecutions[layer.kind];
  invariant(execution !== undefined, `no execution for ${layer.kind}`);
  return execution.run({ layer, inputs, value: options.value, mask: options.mask, moments: options.moments ?? null });
}
