// Opens the TensorFlow engine for tests that need it. Where set-up has not built it they are skipped, loudly; in CI its
// absence is an error.

import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { createEngine } from '@thaw/trainer/engine/create-engine.ts';

/** False when the engine is there (and open, with one thread), else the reason to skip. */
export async function skipWithoutTensorflow(): Promise<false | string> {
  try {
    await createEngine({ kind: 'tensorflow', threads: 1, gpus: 0 });
    return false;
  } catch (thrown) {
    if (process.env.CI || !(thrown instanceof ThawError && thrown.code === 'SetupMissing')) throw thrown;
    console.error(`\nNOT TESTED on TensorFlow: ${thrown.message}\n`);
    return thrown.message;
  }
}
