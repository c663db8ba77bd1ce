// What `thaw doctor` wants to know of an engine: which library it is, which device it would use, and that it computes.
// Loads the library, so it runs in a process of its own.

import * as tf from '@tensorflow/tfjs-core';
import { invariant, ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { EngineKind } from '@thaw/common/job/resolved-job.ts';
import { createEngine } from '../engine/create-engine.ts';
import type { EngineClass } from '../engine/engine.ts';

/** Throws SetupMissing, or EngineUnavailable when it loads and computes nonsense. */
export async function describeEngine(kind: EngineKind): Promise<EngineClass> {
  const { engineClass } = await openOnAnyDevice(kind);
  const product = tf.tidy(() => tf.matMul(tf.tensor2d([[1, 2]]), tf.tensor2d([[3], [4]])).dataSync());
  if (product[0] === 11) return engineClass;
  throw new ThawError(
    'EngineUnavailable',
    `engine "${kind}" multiplied [1, 2] by [3, 4] to ${product[0]}; expected 11`,
  );
}

/** With a GPU if the engine sees one, else without. */
async function openOnAnyDevice(kind: EngineKind): ReturnType<typeof createEngine> {
  const options = { kind, threads: 1 };
  try {
    return await createEngine({ ...options, gpus: 1 });
  } catch (thrown) {
    invariant(thrown instanceof Error, 'what an engine throws is an error');
    if (!(thrown instanceof ThawError && thrown.code === 'EngineUnavailable')) throw thrown;
    return createEngine({ ...options, gpus: 0 });
  }
}
