// How many stages a preset has, where a network begins with a block that has nothing to train.

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../../test/support/fixtures/temporary-folder.ts';
import { aTinyJob, writeTinyJob } from '../../../test/support/fixtures/tiny-job.ts';
import { prepareJob } from './prepare-job.ts';

test('presets count blocks with something to train, so not a bare normalisation of the pixels', async (context) => {
  const baseDir = await temporaryFolder(context);
  await writeTinyJob(baseDir, { images: { perClass: 20 } });
  await normalisePixels(path.join(baseDir, 'model'));
  for (const [preset, names] of [
    ['auto', ['head', 'ranked-1', 'ranked-2']],
    ['ulmfit', ['head', 'last-1', 'last-2']],
  ] as const) {
    const train = { schedule: { preset, stages: undefined } };
    const jobText = aTinyJob({ spec: { model: { cut: 'block2_relu' }, train } });
    const cacheDirectory = path.join(baseDir, 'none');
    const { plan } = await prepareJob({ jobText, fileName: 'job.yaml', baseDir, cacheDirectory });
    assert.deepEqual(
      plan.stages.map(({ name }) => name),
      names,
    );
  }
});

/** Puts a batch normalisation without scale and offset before the first convolution. */
async function normalisePixels(at: string): Promise<void> {
  const [json, values] = [path.join(at, 'model.json'), path.join(at, 'weights.bin')];
  const { modelTopology, weightsManifest, ...rest } = JSON.parse(await readFile(json, 'utf8')) as TinyModelJson;
  const { layers } = modelTopology.model_config.config;
  const config = { name: 'pixels', axis: [3], momentum: 0.99, epsilon: 1e-3, center: false, scale: false };
  const fed = (from: string) => [[[from, 0, 0, {}]]];
  Object.assign(layers[1] as object, { inbound_nodes: fed('pixels') });
  layers.splice(1, 0, { class_name: 'BatchNormalization', name: 'pixels', config, inbound_nodes: fed('input_1') });
  const moving = ['pixels/moving_mean', 'pixels/moving_variance'];
  weightsManifest[0]?.weights.unshift(...moving.map((name) => ({ name, shape: [3], dtype: 'float32' })));
  await writeFile(json, JSON.stringify({ ...rest, modelTopology, weightsManifest }));
  await writeFile(
    values,
    Buffer.concat([new Uint8Array(Float32Array.of(0, 0, 0, 1, 1, 1).buffer), await readFile(values)]),
  );
}

interface TinyModelJson {
  readonly modelTopology: { readonly model_config: { readonly config: { readonly layers: object[] } } };
  readonly weightsManifest: readonly { readonly weights: object[] }[];
}
