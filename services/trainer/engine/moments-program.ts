// One forward pass that measures batch statistics and trains nothing: the layers to measure normalise by the block at
// hand, so that each one sees what its predecessors will give it once their statistics are replaced. Everything else
// is in inference mode.

import * as tf from '@tensorflow/tfjs-core';
import type { Preprocessing } from '@thaw/common/job/resolved-job.ts';
import type { Graph } from '@thaw/common/model/graph.ts';
import type { Values } from '../model/affine.ts';
import { compile, execute } from '../model/execute.ts';
import type { MomentsProgram, MomentsProgramOptions } from './engine.ts';
import { measureMoments } from './measured-moments.ts';
import { preprocess } from './preprocess.ts';

export interface MomentsOptions extends MomentsProgramOptions {
  readonly graph: Graph;
  readonly preprocessing: Preprocessing;
  readonly value: Values;
}

export function createMomentsProgram(options: MomentsOptions): MomentsProgram {
  const { graph, statistics, blockSize, preprocessing, value } = options;
  const measured = new Set(statistics.entries.map(({ path }) => path));
  const operations = compile(graph, before(graph, measured), [], measured);
  const shape: [number, number, number, number] = [blockSize, preprocessing.height, preprocessing.width, 3];
  return {
    moments(pixels, present) {
      const weights = Float32Array.from({ length: blockSize }, (_, row) => (present[row] ? 1 : 0));
      const moments = measureMoments(statistics, weights);
      tf.tidy(() => {
        const input = tf.tensor4d(preprocess(pixels, preprocessing), shape);
        execute(operations, new Map([[graph.input, input]]), {
          value,
          mask: null,
          moments: moments.of,
          inference: true,
        });
      });
      return moments.take();
    },
  };
}

/** The layers to measure and all that they read from. */
function before({ layers }: Graph, measured: ReadonlySet<string>): string[] {
  const wanted = new Set(measured);
  for (const { path, inputs } of [...layers].reverse()) {
    if (wanted.has(path)) for (const input of inputs) wanted.add(input);
  }
  return layers.filter(({ path }) => wanted.has(path)).map(({ path }) => path);
}
