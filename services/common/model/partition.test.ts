import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  convolution,
  functional,
  type KerasLayer,
  kerasInput,
  kerasLayer,
} from '../../../test/support/fixtures/keras-topology.ts';
import { tinyGraph, tinyOutput } from '../../../test/support/fixtures/tiny-graph.ts';
import type { Graph } from './graph.ts';
import { readLayersModel } from './layers-model.ts';
import { partitionFor } from './partition.ts';

const graphOf = (...layers: KerasLayer[]): Graph =>
  readLayersModel(functional([kerasInput(), ...layers]), { prefix: 'backbone' });
const boundaryOf = (graph: Graph, ...trainable: string[]) => {
  const { boundary, boundaryFloats } = partitionFor(graph, trainable);
  return [boundary.map((path) => path.replace('backbone/', '')), boundaryFloats];
};

test('the prefix reaches up through layers without weights: after the pooling a vector', () => {
  assert.deepEqual(boundaryOf(tinyGraph(), 'head/output/kernel'), [['head/global_average_pooling'], 16]);
});

test('randomness ends the prefix, a dropout that drops nothing does not', () => {
  const pooling = { kind: 'globalAveragePooling' } as const;
  const withRate = (rate: number): Graph => tinyGraph({ head: [pooling, { kind: 'dropout', rate }, tinyOutput] });
  assert.deepEqual(boundaryOf(withRate(0.5), 'head/output/kernel'), [['head/global_average_pooling'], 16]);
  assert.deepEqual(boundaryOf(withRate(0), 'head/output/kernel'), [['head/dropout'], 16]);
  const early = tinyGraph({ head: [{ kind: 'dropout', rate: 0.5 }, pooling, tinyOutput] });
  assert.deepEqual(boundaryOf(early, 'head/output/kernel'), [['block3_conv'], 576]);
});

test('a dropout of the backbone ends the prefix only where it is trained through', () => {
  const graph = graphOf(
    convolution('a', ['input']),
    kerasLayer('Dropout', 'first', ['a'], { rate: 0.5 }),
    convolution('b', ['first'], 2),
    kerasLayer('Dropout', 'second', ['b'], { rate: 0.5 }),
    convolution('c', ['second']),
  );
  assert.deepEqual(boundaryOf(graph, 'backbone/c/kernel'), [['second'], 128]);
  assert.deepEqual(partitionFor(graph, ['backbone/b/kernel']).suffix, ['backbone/b', 'backbone/second', 'backbone/c']);
});

test('a layer that only enlarges is left to the suffix', () => {
  const padded = graphOf(
    convolution('a', ['input']),
    kerasLayer('ZeroPadding2D', 'pad', ['a'], { padding: 1 }),
    convolution('b', ['pad'], 4, { padding: 'valid' }),
  );
  assert.deepEqual(boundaryOf(padded, 'backbone/b/kernel'), [['a'], 256]);
});

test('branches may cross the boundary in several tensors', () => {
  const graph = graphOf(
    convolution('a', ['input']),
    convolution('left', ['a'], 2),
    convolution('right', ['a'], 4),
    kerasLayer('Concatenate', 'joined', ['left', 'a', 'right']),
    convolution('b', ['joined']),
  );
  assert.deepEqual(boundaryOf(graph, 'backbone/b/kernel'), [['joined'], 640]);
  assert.deepEqual(boundaryOf(graph, 'backbone/right/kernel'), [['a', 'left'], 384]);
});

test('training the first layer leaves the pixels as the boundary', () => {
  assert.deepEqual(boundaryOf(tinyGraph(), 'backbone/block1_conv/kernel'), [['input_1'], 24 * 24 * 3]);
});

/** A random network of convolutions, sums, joins and activations. */
const networks = fc.array(fc.tuple(fc.nat(3), fc.nat(20), fc.nat(20)), { minLength: 2, maxLength: 12 }).map((steps) => {
  const layers: KerasLayer[] = [convolution('l0', ['input'])];
  for (const [i, [kind, a, b]] of steps.entries()) {
    const name = `l${i + 1}`;
    const [one, two] = [`l${a % (i + 1)}`, `l${b % (i + 1)}`];
    if (kind === 0) layers.push(convolution(name, [one]));
    else if (kind === 1) layers.push(kerasLayer('Add', name, [one, two]));
    else layers.push(kerasLayer('ReLU', name, [one]));
  }
  return graphOf(...layers);
});

test('prefix and suffix are the whole network, and only the boundary crosses', () => {
  fc.assert(
    fc.property(networks, fc.nat(), (graph, pick) => {
      const names = graph.layers.flatMap(({ weights }) => weights.map(({ name }) => name));
      const trained = names[pick % names.length] as string;
      const { prefix, suffix, boundary, boundaryFloats } = partitionFor(graph, [trained]);
      assert.deepEqual([...prefix, ...suffix].sort(), graph.layers.map(({ path }) => path).sort());
      const byPath = new Map(graph.layers.map((layer) => [layer.path, layer]));
      for (const path of prefix) {
        const { inputs, weights } = byPath.get(path) ?? { inputs: [], weights: [] };
        assert.ok(inputs.every((input) => prefix.includes(input)));
        assert.ok(weights.every(({ name }) => name !== trained));
      }
      const crossing = suffix.flatMap(
        (path) => byPath.get(path)?.inputs.filter((input) => prefix.includes(input)) ?? [],
      );
      assert.deepEqual([...boundary].sort(), [...new Set(crossing)].sort());
      const floats = boundary.map((path) => (byPath.get(path)?.outputShape ?? []).reduce((a, b) => a * b, 1));
      assert.equal(
        boundaryFloats,
        floats.reduce((a, b) => a + b, 0),
      );
    }),
  );
});
