import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Graph, graphVersion, type Layer } from './graph.ts';
import { addLayer } from './infer.ts';
import { partitionFor } from './partition.ts';

const kinds = {
  Conv2D: { filters: 4, kernel_size: [3, 3] },
  DepthwiseConv2D: { kernel_size: [3, 3] },
  SeparableConv2D: { filters: 4, kernel_size: [3, 3] },
} as const;

/** A convolution, a dilated layer, an output. */
function aGraph(kind: keyof typeof kinds): Graph {
  const layers = new Map<string, Layer>();
  const add = (path: string, kind: string, config: Record<string, unknown>, ...inputs: string[]) =>
    addLayer(layers, { path, kind, config, inputs });
  add('backbone/input', 'InputLayer', { batch_input_shape: [null, 9, 9, 3] });
  add('backbone/first', 'Conv2D', { filters: 4, kernel_size: [1, 1] }, 'backbone/input');
  add('backbone/dilated', kind, { ...kinds[kind], dilation_rate: [2, 2], padding: 'same' }, 'backbone/first');
  add('head/pool', 'GlobalAveragePooling2D', {}, 'backbone/dilated');
  add('head/output', 'Dense', { units: 2, activation: 'softmax' }, 'head/pool');
  return { version: graphVersion, layers: [...layers.values()], input: 'backbone/input', output: 'head/output' };
}

for (const kind of ['Conv2D', 'DepthwiseConv2D', 'SeparableConv2D'] as const) {
  const graph = aGraph(kind);
  const [weight] = graph.layers.find(({ path }) => path === 'backbone/dilated')?.weights ?? [];

  test(`a dilated ${kind} may be frozen`, () => {
    assert.deepEqual(partitionFor(graph, ['head/output/kernel']).boundary, ['head/pool']);
  });

  test(`a dilated ${kind} is refused where it, or a layer before it, is trained`, () => {
    for (const [trainable, what] of [
      [weight?.name ?? '', 'its weights'],
      ['backbone/first/kernel', 'layers before it'],
    ] as const) {
      assert.throws(() => partitionFor(graph, [trainable, 'head/output/kernel']), {
        name: 'ThawError(NotSupported)',
        message:
          `backbone/dilated (${kind}): found dilation_rate [2,2], which has no gradient; ` +
          `expected 1 where ${what} are trained. Train only layers after it`,
      });
    }
  });
}
