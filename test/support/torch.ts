// PyTorch with torchvision, for benchmarks beside it: at fixed versions, in the cache folder of pythonWith(). The first
// call fills 5.4 GB of disk, because PyPI has the build with CUDA only.

import { type Python, pythonWith } from './python.ts';

/** A text is the reason to do without. */
export function torchPython(): Promise<Python | string> {
  return pythonWith(['torch==2.15.0', 'torchvision==0.29.2', 'safetensors==0.8.0']);
}
