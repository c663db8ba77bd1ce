// Models in Keras' formats load in stock Keras and compute there what Thaw computes: every layer kind, a network of
// keras.applications, and the result of a job against `thaw predict`.

import assert from 'node:assert/strict';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { type Architecture, architectures } from '@thaw/common/model/architectures/architectures.ts';
import { graphVersion, type Layer, type Tensor } from '@thaw/common/model/graph.ts';
import { addLayer } from '@thaw/common/model/infer.ts';
import { initialWeights } from '@thaw/common/model/initial-weights.ts';
import { lastName } from '@thaw/common/model/stored-layer.ts';
import { writeKerasArchive } from '@thaw/coordinator/export/keras/write-archive.ts';
import { writeKerasH5 } from '@thaw/coordinator/export/keras/write-h5.ts';
import { resultFiles } from '@thaw/coordinator/export/result-files.ts';
import { decodeImage } from '@thaw/trainer/data/decode-image.ts';
import { type TinyResult, writeTinyResult } from '../support/fixtures/tiny-result.ts';
import { kerasPython } from '../support/keras.ts';
import { frozenCases, type LayerCase, layerCases } from '../support/layer-cases.ts';
import { caseValues, layerOutput } from '../support/layer-gradients.ts';
import { runThaw } from '../support/thaw-process.ts';

const python = await kerasPython();
const skip = typeof python === 'string' && python;
const extensions = ['h5', 'keras'] as const;

/** Every layer kind, side by side on one input, because Keras takes its time over each file. */
const everyKind = sideBySide(
  [...layerCases, ...frozenCases].filter(
    ({ graph }) => !graph.layers.some(({ config }) => config.activation === 'hard_sigmoid'),
  ),
);
/** Statistics at the input, squeeze and excitation; small pictures keep it quick. */
const { build }: Architecture = architectures.efficientnetB0;
const network: LayerCase = { name: 'network', kinds: [], graph: build({ height: 32, width: 32, classes: 3 }) };
const cases = [everyKind, network];

describe('a model exported for Keras', { skip }, () => {
  let folder = '';
  let result: TinyResult;
  let outputs: Readonly<Record<string, readonly number[]>> = {};
  /** As `thaw predict` gives them, one after the other. */
  let predicted: number[] = [];

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'thaw-exported-keras-'));
    for (const layerCase of cases) await exportCase(path.join(folder, layerCase.name), layerCase);
    result = await writeTinyResult(path.join(folder, 'tiny'), { formats: ['h5', 'keras'] });
    predicted = await predictTiny(result, folder);
    assert.ok(typeof python !== 'string');
    outputs = JSON.parse(await python.run(path.join(import.meta.dirname, 'exported_keras.py'), [folder]));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  for (const extension of extensions) {
    for (const layerCase of cases) {
      it(`.${extension} of ${layerCase.name} gives Thaw's outputs`, async () => {
        await tf.setBackend('cpu');
        const expected = layerOutput(layerCase, valuesOf(layerCase)).get('output') as Float32Array;
        requireNear(outputs[`${layerCase.name}.${extension}`] ?? [], [...expected], layerCase.name);
      });
    }

    it(`.${extension} of a job gives the probabilities of thaw predict`, () => {
      requireNear(outputs[`tiny.${extension}`] ?? [], predicted, 'the job');
    });
  }
});

/** One network of all of them: each on the same input, its output flattened, all outputs in a row. */
function sideBySide(cases: readonly LayerCase[]): LayerCase {
  const layers = new Map<string, Layer>();
  const [input] = cases[0]?.graph.layers ?? [];
  addLayer(layers, { ...(input as Layer), path: 'x/input' });
  const outputs = cases.map(({ graph }, index) => {
    const renamed = (path: string): string => (path === graph.input ? 'x/input' : `x/case${index}/${lastName(path)}`);
    for (const { path, kind, config, inputs } of graph.layers) {
      if (path !== graph.input) addLayer(layers, { path: renamed(path), kind, config, inputs: inputs.map(renamed) });
    }
    const flat = { path: `x/flat${index}`, kind: 'Flatten', config: {}, inputs: [renamed(graph.output)] };
    return addLayer(layers, flat).path;
  });
  const output = addLayer(layers, { path: 'x/all', kind: 'Concatenate', config: {}, inputs: outputs }).path;
  const graph = { version: graphVersion, layers: [...layers.values()], input: 'x/input', output } as const;
  return { name: 'every layer kind', kinds: [], graph };
}

/** Kernels by Keras' rules: larger ones would drown a deep network in its largest number. */
function valuesOf(layerCase: LayerCase): ReturnType<typeof caseValues> {
  const { input, weights } = caseValues(layerCase);
  const kernels = layerCase.graph.layers.flatMap((layer) => layer.weights).filter(({ role }) => role === 'kernel');
  const scaled = initialWeights(layerCase.graph.layers, 3);
  for (const { name } of kernels) weights.set(name, scaled.get(name) as Tensor);
  return { input, weights };
}

async function exportCase(name: string, layerCase: LayerCase): Promise<void> {
  const { input, weights } = valuesOf(layerCase);
  const content = { graph: layerCase.graph, weights, metadata: {} };
  await writeKerasH5(`${name}.h5`, content);
  await writeKerasArchive(`${name}.keras`, content, new Date(0));
  await writeFile(`${name}.input`, input.data);
}

/** Puts the result's models and its pictures where Keras looks, and predicts the pictures. */
async function predictTiny({ out, images, prepared }: TinyResult, folder: string): Promise<number[]> {
  const { kerasH5, kerasArchive, modelFolder } = resultFiles(out);
  assert.deepEqual((await readdir(modelFolder)).sort(), ['graph.json', 'model.h5', 'model.keras']);
  await cp(kerasH5, path.join(folder, 'tiny.h5'));
  await cp(kerasArchive, path.join(folder, 'tiny.keras'));
  const files = (await readdir(images, { recursive: true })).filter((name) => name.endsWith('0.png')).sort();
  const { preprocessing } = prepared.job.model;
  const { scale, mean, std } = preprocessing;
  const decoded = await Promise.all(
    files.map(async (file) => decodeImage(await readFile(path.join(images, file)), preprocessing)),
  );
  const batch = Float32Array.from(Buffer.concat(decoded), (byte, i) => {
    return (byte * scale - (mean[i % 3] as number)) / (std[i % 3] as number);
  });
  await writeFile(path.join(folder, 'tiny.input'), batch);
  const run = await runThaw(['predict', out, ...files, '--json', '--engine', 'cpu'], { cwd: images });
  assert.deepEqual([run.status, run.stderr], [0, '']);
  const rows = run.stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as { probabilities: Record<string, number> }); // biome-ignore format: one chain
  return rows.flatMap(({ probabilities }) => prepared.manifest.classes.map((label) => probabilities[label] as number));
}

/** Each number to a few units of float32's last place. */
function requireNear(found: readonly number[], expected: readonly number[], what: string): void {
  assert.equal(found.length, expected.length, what);
  assert.ok(Math.max(...expected) - Math.min(...expected) > 0.1, `${what}: nearly equal outputs show little`);
  for (const [i, value] of expected.entries()) {
    const apart = Math.abs(value - (found[i] as number));
    const tolerance = 2e-6 * Math.max(1, Math.abs(value));
    assert.ok(
      apart <= tolerance,
      `${what}: output ${i}: found ${found[i]}; expected ${value}, which is ${apart} apart`,
    );
  }
}
