import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { plainCrossEntropy } from '@thaw/common/job/loss.ts';
import type { Loss } from '@thaw/common/job/resolved-job.ts';
import { type Graph, graphVersion, type Layer } from '@thaw/common/model/graph.ts';
import { addLayer } from '@thaw/common/model/infer.ts';
import { drawnPixels, drawnWeights, smallPreprocessing, smallSide } from '../testing/small-network.ts';
import { createEngine } from './create-engine.ts';
import type { Engine, LossSums, MicroBatch } from './engine.ts';

const classes = 3;
const microBatch = 4;
let engine: Engine;

before(async () => {
  engine = await createEngine({ kind: 'cpu', threads: 1, gpus: 0 });
});

type Row = readonly [path: string, kind: string, config: Record<string, unknown>];

/** Pooling, a dense layer, and what follows it. */
function aGraph(dense: Record<string, unknown>, ...after: readonly Row[]): Graph {
  const layers = new Map<string, Layer>();
  const rows: readonly Row[] = [
    ['backbone/input', 'InputLayer', { batch_input_shape: [null, smallSide, smallSide, 3] }],
    ['head/pool', 'GlobalAveragePooling2D', {}],
    ['head/dense', 'Dense', { units: classes, ...dense }],
    ...after,
  ];
  let last: string | null = null;
  for (const [path, kind, config] of rows) {
    last = addLayer(layers, { path, kind, config, inputs: last === null ? [] : [last] }).path;
  }
  return { version: graphVersion, layers: [...layers.values()], input: 'backbone/input', output: last ?? '' };
}

/** Gradient and sums of one micro-batch, its last row of weight 0. */
function gradientOf(
  graph: Graph,
  { loss = plainCrossEntropy, ...changes }: Partial<MicroBatch> & { readonly loss?: Loss } = {},
): { readonly gradient: number[]; readonly sums: LossSums } {
  const model = engine.loadModel(graph, drawnWeights(graph), smallPreprocessing);
  const trainable = ['head/dense/bias', 'head/dense/kernel'];
  const program = model.stageProgram({
    trainable,
    seed: 1,
    blockSize: microBatch,
    microBatch,
    classes,
    loss,
  });
  try {
    const sampleIds = ['a', 'b', 'c', 'd'];
    const features = program.features(Buffer.concat(sampleIds.map(drawnPixels)));
    const gradient = new Float32Array(program.layout.length);
    const batch = {
      features,
      labels: Int32Array.of(0, 1, 2, 0),
      weights: Float32Array.of(1, 1, 1, 0),
      sampleIds,
      epoch: 0,
      ...changes,
    };
    const sums = program.gradients(batch, gradient);
    return { gradient: [...gradient], sums };
  } finally {
    program.dispose();
    model.dispose();
  }
}

test('a softmax of its own at the end trains as one in the last dense layer', () => {
  const expected = gradientOf(aGraph({ activation: 'softmax' }));
  assert.ok(expected.gradient.every((value) => value !== 0));
  assert.deepEqual(gradientOf(aGraph({}, ['head/output', 'Softmax', {}])), expected);
  assert.deepEqual(gradientOf(aGraph({}, ['head/output', 'Activation', { activation: 'softmax' }])), expected);
});

test('a softmax in the middle is computed, and not taken for the output', () => {
  const middle = gradientOf(aGraph({ activation: 'softmax' }, ['head/output', 'Softmax', {}]));
  const end = gradientOf(aGraph({ activation: 'softmax' }));
  assert.notDeepEqual(middle.gradient, end.gradient);
});

test('cross-entropy with a mixed target is the mixture of both', () => {
  const graph = aGraph({ activation: 'softmax' });
  const others = Int32Array.of(1, 1, 0, 2);
  const share = 0.375;
  const own = gradientOf(graph);
  const other = gradientOf(graph, { labels: others });
  const found = gradientOf(graph, { mixed: { labels: others, share } });
  const mixture = (a: number, b: number): number => share * a + (1 - share) * b;
  assert.ok(Math.abs(found.sums.loss - mixture(own.sums.loss, other.sums.loss)) < 1e-5);
  for (const [i, value] of found.gradient.entries()) {
    assert.ok(Math.abs(value - mixture(own.gradient[i] as number, other.gradient[i] as number)) < 1e-5, `${i}`);
  }
  // The larger part is the partner's, so its class is the right one.
  assert.equal(found.sums.correct, other.sums.correct);
  assert.notEqual(own.sums.correct, other.sums.correct);
});

test('a network that ends in sigmoids trains with binary cross-entropy', () => {
  const loss = { kind: 'binaryCrossEntropy', labelSmoothing: 0 } as const;
  const { sums, gradient } = gradientOf(aGraph({ activation: 'sigmoid' }), { loss });
  assert.ok(sums.loss > 0 && gradient.some((value) => value !== 0));
});

const unsuitable: readonly { readonly name: string; readonly graph: Graph }[] = [
  { name: 'a sigmoid', graph: aGraph({ activation: 'sigmoid' }) },
  { name: 'no activation', graph: aGraph({}) },
  {
    name: 'a convolution with softmax',
    graph: aGraph(
      {},
      ['head/reshape', 'Reshape', { target_shape: [1, 1, classes] }],
      ['head/output', 'SeparableConv2D', { filters: classes, kernel_size: [1, 1], activation: 'softmax' }],
    ),
  },
];

for (const { name, graph } of unsuitable) {
  test(`a network that ends in ${name} is not trained`, () => {
    assert.throws(() => gradientOf(graph), {
      name: 'ThawError(HeadMismatch)',
      message: `${graph.output}: the network does not end in softmax, which the loss crossEntropy goes with`,
    });
  });
}
