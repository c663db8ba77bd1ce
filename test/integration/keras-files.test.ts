// Files that Keras itself wrote, in every format, give Keras' own outputs. Each network has every weight at random, and
// its outputs differ from image to image, so that a weight in the wrong place would show.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import type { Graph, Weights } from '@thaw/common/model/graph.ts';
import { kerasOrder } from '@thaw/common/model/keras-order.ts';
import { readLayersModel } from '@thaw/common/model/layers-model.ts';
import { matchLayers } from '@thaw/common/model/match-layers.ts';
import { readKerasModel, readKerasWeights } from '@thaw/coordinator/prepare/model-source/keras-file.ts';
import { openModelSource } from '@thaw/coordinator/prepare/model-source/open-model-source.ts';
import { compile, execute } from '@thaw/trainer/model/execute.ts';
import { kerasPython } from '../support/keras.ts';
import { skipWithoutTensorflow } from '../support/tensorflow.ts';

/** What keras_files.py prints about one network. */
interface Made {
  readonly shape: readonly number[];
  readonly outputs: readonly (readonly number[])[];
  /** Names as `model.layers` lists them. */
  readonly layers: readonly string[];
}

const networks = ['every-layer', 'nested', 'frozen', 'automatic', 'automatic-again'] as const;
const wholeModels = ['h5', 'keras', 'nameless.keras'] as const;
const weightsAlone = ['weights.h5', 'published.h5'] as const;

const python = await kerasPython();
const skip = (await skipWithoutTensorflow()) || (typeof python === 'string' && python);

describe('Keras files', { skip }, () => {
  let folder = '';
  let made: Readonly<Record<string, Made>> = {};

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'thaw-keras-'));
    assert.ok(typeof python !== 'string');
    made = JSON.parse(await python.run(path.join(import.meta.dirname, 'keras_files.py'), [folder]));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const topologyOf = async (name: string): Promise<Graph> =>
    readLayersModel((await readKerasModel(`${name}.keras`, folder)).topology, { prefix: 'backbone' });

  async function requireOutputsOf(name: string, graph: Graph, weights: Weights): Promise<void> {
    const { shape, outputs } = made[name] as Made;
    const bytes = Uint8Array.from(await readFile(path.join(folder, `${name}.pixels`)));
    const found = run(graph, weights, tf.tensor(new Float32Array(bytes.buffer), [...shape]));
    const expected = outputs.flat();
    const spreads = (outputs[0] ?? []).map((_, column) => deviation(outputs.map((row) => row[column] as number)));
    assert.ok(Math.min(...spreads) > 0.1, `outputs are nearly alike, so little is shown: ${spreads}`);
    const apart = Math.max(...expected.map((value, i) => Math.abs(value - (found[i] as number))));
    assert.equal(found.length, expected.length);
    assert.ok(apart <= 1e-4 * deviation(expected), `${apart} apart at a deviation of ${deviation(expected)}`);
  }

  for (const name of networks) {
    for (const format of wholeModels) {
      it(`${name}.${format} gives Keras' outputs`, async () => {
        const { graph, weights } = await openModelSource(`file:${name}.${format}`, { baseDirectory: folder });
        await requireOutputsOf(name, graph, weights);
      });
    }
    for (const format of weightsAlone) {
      it(`${name}.${format} fills the network that it belongs to`, async () => {
        const graph = await topologyOf(name);
        const { layers, what } = await readKerasWeights(path.join(folder, `${name}.${format}`));
        await requireOutputsOf(name, graph, matchLayers(graph, layers, what));
      });
    }
  }

  for (const format of weightsAlone) {
    it(`${format} fills a network whose automatic names count from elsewhere`, async () => {
      assert.notDeepEqual(made.automatic?.layers, made['automatic-again']?.layers);
      const graph = await topologyOf('automatic');
      const { layers, what } = await readKerasWeights(path.join(folder, `automatic-again.${format}`));
      await requireOutputsOf('automatic-again', graph, matchLayers(graph, layers, what));
    });
  }

  it('weights without any name fill a network by Keras’ order of its layers', async () => {
    const graph = await topologyOf('automatic-again');
    const { layers, what } = await readKerasWeights(path.join(folder, 'automatic.nameless.keras'));
    const nameless = layers.map((layer) => ({ ...layer, name: null }));
    await requireOutputsOf('automatic', graph, matchLayers(graph, nameless, what));
  });

  it('knows the order in which Keras lists layers, whatever the graph’s own', async () => {
    const graph = await topologyOf('automatic');
    const turned = { ...graph, layers: [...depthFirst(graph, graph.output)] };
    assert.notDeepEqual(turned.layers, graph.layers);
    const listed = kerasOrder(turned).map((layer) => layer.path.replace('backbone/', ''));
    assert.deepEqual(listed, made.automatic?.layers);
  });
});

function run(graph: Graph, weights: Weights, pixels: tf.Tensor): Float32Array {
  const operations = compile(
    graph,
    graph.layers.map((layer) => layer.path),
    [graph.output],
  );
  const output = tf.tidy(() => {
    const value = (name: string): tf.Tensor => {
      const { data, shape } = weights.get(name) as { data: Float32Array; shape: readonly number[] };
      return tf.tensor(data, [...shape]);
    };
    const outputs = execute(operations, new Map([[graph.input, pixels]]), { value, mask: null });
    return tf.clone(outputs.get(graph.output) as tf.Tensor);
  });
  const values = output.dataSync() as Float32Array;
  tf.dispose([output, pixels]);
  return values;
}

/** The layers that lead to one, each after all of its inputs. */
function* depthFirst(graph: Graph, path: string, seen = new Set<string>()): Generator<Graph['layers'][number]> {
  if (seen.has(path)) return;
  seen.add(path);
  const layer = graph.layers.find((one) => one.path === path) as Graph['layers'][number];
  for (const input of layer.inputs) yield* depthFirst(graph, input, seen);
  yield layer;
}

function deviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
