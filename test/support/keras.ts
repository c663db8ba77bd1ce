// Keras itself, for tests that check Thaw against it: the CPU build of TensorFlow and the Keras that goes with it, at
// fixed versions, in the cache folder of pythonWith(). The first call downloads about 300 MB.

import { type Python, pythonWith } from './python.ts';

/** A text is the reason to skip. */
export function kerasPython(): Promise<Python | string> {
  return pythonWith(['tensorflow-cpu==2.21.0', 'keras==3.15.1']);
}
