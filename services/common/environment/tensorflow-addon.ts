// Whether set-up has built TensorFlow's addon for this checkout. Looks for its file and loads nothing: the coordinator,
// which never loads TensorFlow, asks to find out what `engine: auto` means here.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

export function tensorflowIsThere(): boolean {
  const manifest = manifestOfPackage();
  return manifest !== null && existsSync(path.join(path.dirname(manifest), 'lib', 'napi-v8', 'tfjs_binding.node'));
}

function manifestOfPackage(): string | null {
  try {
    return createRequire(import.meta.url).resolve('@tensorflow/tfjs-node/package.json');
  } catch {
    return null; // an image without TensorFlow need not have the package
  }
}
