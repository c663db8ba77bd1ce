// A part of the frozen prefix, from the pixels or from a stored boundary up to one or several boundaries. Each of them
// has the bits that its own stage's program would compute: a target is only accepted when the same operations lead to
// it, folded in the same way.

import * as tf from '@tensorflow/tfjs-core';
import type { Preprocessing } from '@thaw/common/job/resolved-job.ts';
import type { Graph, Partition } from '@thaw/common/model/graph.ts';
import { type Affine, affineKinds, type Values } from '../model/affine.ts';
import { compile, execute, type Operation } from '../model/execute.ts';
import { joinBoundary, splitBoundary } from './boundary-rows.ts';
import type { PrefixProgram, PrefixProgramOptions } from './engine.ts';
import { preprocess } from './preprocess.ts';
import { keptAffine } from './stage-program.ts';

export interface PrefixOptions extends PrefixProgramOptions {
  readonly graph: Graph;
  readonly preprocessing: Preprocessing;
  readonly value: Values;
}

export function createPrefixProgram(options: PrefixOptions): PrefixProgram {
  const { graph, from, targets, value } = options;
  const operations = operationsBetween(graph, from, targets);
  const constants = new Map<Operation, Affine>();
  for (const operation of operations) {
    const { layer, normalization } = operation;
    if (affineKinds.has(layer.kind)) constants.set(operation, keptAffine(layer, normalization, value));
  }
  return {
    run(input, wanted) {
      const rows = tf.tidy(() => {
        const run = { value, mask: null, constants, inference: true };
        const outputs = execute(operations, inputsOf(options, input), run);
        return wanted.map((target) => joinBoundary(targets[target] as Partition, outputs));
      });
      const data = rows.map((tensor) => tensor.dataSync() as Float32Array);
      tf.dispose(rows);
      return data;
    },
    dispose() {
      for (const { kernel, bias } of constants.values()) tf.dispose(bias ? [kernel, bias] : [kernel]);
    },
  };
}

function inputsOf({ graph, from, blockSize, preprocessing }: PrefixOptions, input: Uint8Array) {
  if (from) {
    const floats = new Float32Array(input.buffer, input.byteOffset, blockSize * from.boundaryFloats);
    return splitBoundary(graph, from, tf.tensor2d(floats, [blockSize, from.boundaryFloats]));
  }
  const shape: [number, number, number, number] = [blockSize, preprocessing.height, preprocessing.width, 3];
  return new Map([[graph.input, tf.tensor4d(preprocess(input, preprocessing), shape)]]);
}

function operationsBetween(graph: Graph, from: Partition | null, targets: readonly Partition[]): Operation[] {
  const done = new Set(from?.prefix ?? []);
  const paths = new Set(targets.flatMap(({ prefix }) => prefix).filter((path) => !done.has(path)));
  return compile(graph, [...paths], [...new Set(targets.flatMap(({ boundary }) => boundary))]);
}

/**
 * Whether a pass from `from` (null: the pixels) to all of `targets` runs, for each of them, exactly the operations that
 * its own program runs. A normalisation that one of them folds into a convolution and another one does not, differs.
 */
export function haveSameOperations(graph: Graph, from: Partition | null, targets: readonly Partition[]): boolean {
  const foldings = (operations: readonly Operation[]) =>
    new Map(operations.map(({ layer, normalization }) => [layer.path, normalization?.path ?? '']));
  const before = from ? foldings(operationsBetween(graph, null, [from])) : new Map<string, string>();
  const passed = new Map([...before, ...foldings(operationsBetween(graph, from, targets))]);
  return targets.every((target) =>
    [...foldings(operationsBetween(graph, null, [target]))].every(([path, folded]) => passed.get(path) === folded),
  );
}
