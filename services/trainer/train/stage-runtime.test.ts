import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blockSize } from '@thaw/common/data/block-size.ts';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { plainCrossEntropy } from '@thaw/common/job/loss.ts';
import type { ResolvedStage } from '@thaw/common/job/resolved-job.ts';
import type { Logger } from '@thaw/common/log/logger.ts';
import type { Weights } from '@thaw/common/model/graph.ts';
import { selectTrainable } from '@thaw/common/model/select.ts';
import { noFeatureCounts, takeCounts } from '../cache/feature-counts.ts';
import { featureStore } from '../cache/feature-store.ts';
import type { SampleRef } from '../cache/level.ts';
import { memoryRows } from '../cache/memory-rows.ts';
import type { CommsLink } from '../comms/comms-link.ts';
import { newBoardBuffer, progressBoard } from '../comms/progress-board.ts';
import { createEngine } from '../engine/create-engine.ts';
import { drawnPixels, drawnWeights, smallClasses, smallGraph, smallPreprocessing } from '../testing/small-network.ts';
import type { JobContext } from './job-context.ts';
import { stageFeatures } from './stage-features.ts';
import { createStages, type StageRuntime } from './stage-runtime.ts';

const graph = smallGraph();
const source = drawnWeights(graph);

function aStage(
  name: string,
  select: readonly string[],
  batchNorm: ResolvedStage['batchNorm'] = 'frozen',
): ResolvedStage {
  return {
    name,
    select,
    length: { kind: 'epochs', epochs: 1 },
    advanceOn: null,
    optimizer: { kind: 'sgd' },
    learningRate: 1,
    warmupSteps: 0,
    curve: 'constant',
    layerDecay: 0.5,
    batchNorm,
    optimizerState: 'keep',
    onEnter: 'continue',
    l2sp: 0,
    microBatch: 4,
    emaDecay: null,
  };
}

const headThenWhole = [aStage('head', ['head/**']), aStage('whole', ['**'])];

async function loadBlock(refs: readonly SampleRef[]) {
  const pixels = new Uint8Array(blockSize * drawnPixels('').length);
  pixels.set(Buffer.concat(refs.map(({ index }) => drawnPixels(`sample ${index}`))));
  return { pixels, present: refs.map(() => true) };
}

/** By default stage 0 trains the head, stage 1 everything. */
async function theStages(stages: readonly ResolvedStage[] = headThenWhole, featureBytes = 1e9) {
  const engine = await createEngine({ kind: 'cpu', threads: 1, gpus: 0 });
  const model = engine.loadModel(graph, source, smallPreprocessing);
  const context = {
    job: {
      train: { seed: 1, microBatch: 4, loss: plainCrossEntropy, gradientClip: null, l2: 0 },
      model: { preprocessing: smallPreprocessing },
      stages,
    },
    graph,
    source,
    manifest: { classes: Array.from({ length: smallClasses }, (_, i) => `class ${i}`) },
    shards: [new Uint32Array(8)],
  } as unknown as JobContext;
  const link = { board: progressBoard(newBoardBuffer()), check: () => {} } as unknown as CommsLink;
  const warnings: string[] = [];
  const say = (_fields: object, message: string) => warnings.push(message);
  const log = { warn: say, info: say } as unknown as Logger;
  const counts = noFeatureCounts();
  const store = featureStore(memoryRows(featureBytes));
  const { engineClass } = engine;
  const features = stageFeatures({ context, model, engineClass, store, counts, loadBlock, board: link.board, log });
  return { model, warnings, store, counts, stages: createStages({ context, model, link, features, log }) };
}

/** One update with the same gradient for every element. */
function apply(runtime: StageRuntime, gradient: number, { step = 1, rate = 1 } = {}): void {
  const { layout, statistics, measure } = runtime;
  const sums = new Int32Array(layout.length).fill(gradient);
  const exponents = new Int32Array(layout.entries.length);
  const totals = { count: 1, weight: 1, loss: 0, correct: 0, nonFinite: [], acknowledgedPlan: 0 };
  const moments = new Float32Array(statistics.moved.length).fill(2);
  const measured = { seconds: { announce: 0, reduce: 0 }, bytes: { sent: 0, received: 0 } };
  const said = measure(moments, 1) ?? new BigInt64Array(0);
  runtime.apply({ step, sums, exponents, ...totals, ...measured, statistics: said }, rate);
}

test('averages stand in for the weights while work runs, and the next stage starts from them', async () => {
  const name = 'head/output/bias';
  const { model, stages } = await theStages(headThenWhole.map((stage) => ({ ...stage, emaDecay: 0.5 })));
  const held = (): number => model.readWeights([name]).get(name)?.data[0] as number;
  const start = held();
  const runtime = stages.enter(0, { resetOptimizer: false, revision: 1 });
  for (const step of [1, 2]) apply(runtime, -1, { step });
  // After the updates the values are start + 1 and start + 2, so the average is start + 1.5.
  const near = (wanted: number): void => assert.ok(Math.abs(held() - start - wanted) < 1e-6, `${held()}, ${start}`);
  near(2);
  await stages.withAverages(async () => near(1.5));
  near(2);
  await assert.rejects(
    stages.withAverages(() => Promise.reject(new Error('superseded'))),
    /superseded/,
  );
  near(2);
  const stored = stages.encode('{}');
  const digest = stages.digest();
  stages.enter(1, { resetOptimizer: false, revision: 2 });
  near(1.5);
  stages.assertFrozenIntact();
  // A state of the middle of stage 0 goes on with both, and gives the same state to stage 1 as often as it is asked.
  stages.restore(stored, 'stored');
  assert.equal(stages.digest(), digest);
  stages.enter(0, { resetOptimizer: false, revision: 3 });
  near(2);
  await stages.withAverages(async () => near(1.5));
  stages.restore(stored, 'stored');
  stages.enter(1, { resetOptimizer: false, revision: 4 });
  near(1.5);
});

test('layerDecay halves the rate with every block further from the output', async () => {
  const { model, stages } = await theStages();
  apply(stages.enter(1, { resetOptimizer: false, revision: 1 }), 16);
  const moved = (name: string): number => {
    const after = model.readWeights([name]).get(name)?.data[0] as number;
    return Math.round(((source.get(name)?.data[0] as number) - after) * 1000) / 1000;
  };
  const names = [
    'head/output/bias',
    'backbone/block3_bn/beta',
    'backbone/block2_depthwise/bias',
    'backbone/block1_conv/kernel',
  ];
  assert.deepEqual(names.map(moved), [16, 8, 4, 2]);
});

test('a state that is not finite any more names its stage by number and name', async () => {
  const { stages } = await theStages();
  const runtime = stages.enter(1, { resetOptimizer: false, revision: 1 });
  assert.throws(
    () => apply(runtime, 1, { step: 12, rate: 1e41 }),
    (thrown) => {
      assert.ok(thrown instanceof ThawError && thrown.code === 'NonFinite');
      assert.match(thrown.message, /^stage "whole", step 12: backbone\/block1_bn\/beta became NaN/);
      assert.deepEqual(thrown.data, { stage: 1, step: 12, tensor: 'backbone/block1_bn/beta' });
      return true;
    },
  );
});

test('what a stage does not train stays as it is, and a change of it is found', async () => {
  const { model, stages } = await theStages();
  apply(stages.enter(0, { resetOptimizer: false, revision: 1 }), 1);
  assert.equal(stages.assertFrozenIntact(), true);
  const name = 'backbone/block1_bn/moving_mean';
  const { shape, data } = source.get(name) ?? { shape: [], data: new Float32Array() };
  model.writeWeights(new Map([[name, { shape, data: data.map((value) => value * 1.0000001) }]]));
  assert.throws(() => stages.assertFrozenIntact(), { name: 'ThawError(FrozenChanged)', message: new RegExp(name) });
});

test('restoring an earlier state takes later tensors back to the source', async () => {
  const { model, stages } = await theStages();
  apply(stages.enter(0, { resetOptimizer: false, revision: 1 }), 1);
  const [bytes, digest] = [stages.encode(''), stages.digest()];
  apply(stages.enter(1, { resetOptimizer: false, revision: 2 }), 1);
  assert.notEqual(stages.digest(), digest);
  stages.restore(bytes, 'the state');
  assert.equal(stages.digest(), digest);
  const names = [...source.keys()].filter((name) => name.startsWith('backbone/'));
  for (const [name, { data }] of model.readWeights(names)) assert.deepEqual(data, source.get(name)?.data, name);
  const bias = model.readWeights(['head/output/bias']).get('head/output/bias')?.data[0] as number;
  assert.equal(bias, Math.fround((source.get('head/output/bias')?.data[0] as number) - 1));
});

const trained = [
  aStage('head', ['head/**']),
  aStage('last', ['head/**', 'last(2)']),
  aStage('head again', ['head/**']),
  aStage('whole', ['**']),
  aStage('head at the end', ['head/**']),
];
const refs: readonly SampleRef[] = Array.from({ length: 6 }, (_, index) => ({ set: 'train', index, view: 0 }));

/** What the source holds for the stage must be what its program computes now. */
async function assertFresh({ features, program, stage }: StageRuntime): Promise<void> {
  await features.fill(refs);
  await features.prepare(refs);
  const { boundaryFloats } = program.partition;
  const fresh = program.features((await loadBlock(refs)).pixels).subarray(0, refs.length * boundaryFloats);
  assert.deepEqual(features.rows(refs, refs.length).features, Float32Array.from(fresh), stage.name);
}

test('features are those of the weights at hand, through stages that thaw and freeze again and through restores', async () => {
  const { stages, counts } = await theStages(trained);
  const computed: [string, number][][] = [];
  const decoded: number[] = [];
  const held: Uint8Array[] = [];
  let revision = 0;
  const work = async (index: number): Promise<void> => {
    revision += 1;
    const runtime = stages.enter(index, { resetOptimizer: false, revision });
    await assertFresh(runtime);
    apply(runtime, 1, { step: revision, rate: 0.01 });
    await assertFresh(runtime);
    const taken = takeCounts(counts);
    computed.push([...taken.computed]);
    decoded.push(taken.decoded);
    held.push(stages.encode(''));
  };
  for (const index of trained.keys()) await work(index);
  // 1 was stored on the way to 0. 2 starts from what 1 read, as only layers above it were trained. 3 computes no frozen
  // layer, and 4 has nothing left that was never trained but the pixels.
  const ofLast = 'backbone/block1_relu';
  assert.deepEqual(computed, [[['pixels', 6]], [], [[ofLast, 6]], [], [['pixels', 6]]]);
  assert.deepEqual(decoded, [6, 0, 0, 0, 0]);
  const states = [...held];
  // Into a stage with the boundary of the one before, over other blocks: as trained last, as trained once, untouched.
  for (const [after, index] of [
    [3, 4],
    [1, 2],
    [0, 0],
    [3, 4],
    [0, 0],
    [2, 3],
  ] as const) {
    stages.restore(states[after] as Uint8Array, `the state after stage ${after}`);
    await work(index);
  }
});

test('features outlive a stage that trains the same tensors, as nothing before the boundary was ever trained', async () => {
  const { stages, counts } = await theStages([aStage('a', ['head/**']), aStage('b', ['head/**'])]);
  await assertFresh(stages.enter(0, { resetOptimizer: false, revision: 1 }));
  assert.deepEqual([...takeCounts(counts).computed], [['pixels', 6]]);
  await assertFresh(stages.enter(1, { resetOptimizer: false, revision: 2 }));
  assert.deepEqual([...takeCounts(counts).computed], []);
});

for (const { order, later } of [
  // The second set begins where the first one does: its features were stored by then.
  { order: ['block2', 'block3', 'block1'], later: [['pixels', 6]] },
  // The second set begins at the pixels.
  { order: ['block3', 'block1', 'block2'], later: [['pixels', 6]] },
  // The first set begins at the pixels, which are its features.
  { order: ['block1', 'block3', 'block2'], later: [] },
]) {
  test(`ranked stages train what was ranked, on features of the weights at hand: ${order.join(', ')}`, async () => {
    const ranked = [1, 2].map((count) => aStage(`ranked-${count}`, ['head/**', `ranked(${count})`]));
    const { stages, counts } = await theStages([aStage('head', ['head/**']), ...ranked]);
    const work = async (index: number): Promise<readonly string[]> => {
      const runtime = stages.enter(index, { resetOptimizer: false, revision: index });
      await assertFresh(runtime);
      apply(runtime, 1, { step: index + 1, rate: 0.01 });
      await assertFresh(runtime);
      return runtime.layout.entries.map(({ name }) => name).filter((name) => name.startsWith('backbone/'));
    };
    assert.deepEqual(await work(0), []);
    stages.rank(order);
    const first = takeCounts(counts);
    assert.deepEqual([[...first.computed], first.decoded], [[['pixels', 6]], 6]);
    for (const index of [1, 2]) {
      const names = selectTrainable(
        graph,
        order.slice(0, index).map((name) => `block(${name})`),
      ).tensors.map(({ name }) => name);
      assert.deepEqual((await work(index)).toSorted(), names.toSorted());
    }
    const rest = takeCounts(counts);
    assert.deepEqual([[...rest.computed], rest.decoded], [later, 0], 'no picture is decoded again');
  });
}

test('features that do not fit are said once a stage, in samples and megabytes', async () => {
  const { stages, warnings } = await theStages(headThenWhole, 3 * 8 * 4);
  const runtime = stages.enter(0, { resetOptimizer: false, revision: 1 });
  await assertFresh(runtime);
  await assertFresh(runtime);
  assert.deepEqual(warnings, [
    'the features of 3 of 6 samples fit in memory (0.0 MB of 0.0 MB); the others are computed again in every epoch',
  ]);
});

const mean = 'backbone/block3_bn/moving_mean';
const frozenMean = 'backbone/block1_bn/moving_mean';
const firstOf = (values: Weights, name: string): number => values.get(name)?.data[0] as number;

test('statistics that move are state: in the engine, in the digest, kept by later stages, restored', async () => {
  const last = ['head/**', 'last(1)'];
  const { model, stages } = await theStages([aStage('a', last, 'train'), aStage('b', last)]);
  const engineMean = () => firstOf(model.readWeights([mean]), mean);
  const before = stages.digest();
  const runtime = stages.enter(0, { resetOptimizer: false, revision: 1 });
  apply(runtime, 0);
  const moved = Math.fround(firstOf(source, mean) * 0.99 + 2 * 0.01);
  assert.equal(engineMean(), moved);
  assert.notEqual(stages.digest(), before);
  const [held, digest] = [stages.encode(''), stages.digest()];
  apply(runtime, 0);
  assert.notEqual(engineMean(), moved);
  apply(stages.enter(1, { resetOptimizer: true, revision: 2 }), 0);
  assert.equal(stages.assertFrozenIntact(), true);
  stages.restore(held, 'the best');
  assert.equal(engineMean(), moved);
  assert.equal(stages.digest(), digest);
  apply(stages.enter(1, { resetOptimizer: false, revision: 3 }), 0);
  assert.equal(engineMean(), moved);
});

test('adapted statistics are folded anew and give other features, which no cache of the old ones serves', async () => {
  const { model, stages } = await theStages([aStage('a', ['head/**'], 'adapt'), aStage('b', ['head/**'])]);
  const entered = stages.enter(0, { resetOptimizer: false, revision: 1 });
  await assertFresh(entered);
  const old = entered.features.rows(refs, refs.length).features;
  const { adapted } = entered.statistics;
  const runtime = stages.adapt(new Float64Array(adapted.length).fill(0.5));
  assert.equal(firstOf(model.readWeights([frozenMean]), frozenMean), 0.5);
  await assertFresh(runtime);
  assert.notDeepEqual(runtime.features.rows(refs, refs.length).features, old);
  assert.equal(stages.assertFrozenIntact(), true);
  const held = stages.encode('');
  await assertFresh(stages.enter(1, { resetOptimizer: false, revision: 2 }));
  assert.equal(firstOf(model.readWeights([frozenMean]), frozenMean), 0.5);
  stages.restore(held, 'the state');
  await assertFresh(stages.enter(1, { resetOptimizer: false, revision: 3 }));
});
