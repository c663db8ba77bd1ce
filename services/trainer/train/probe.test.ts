import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { blockSize } from '@thaw/common/data/block-size.ts';
import { plainCrossEntropy } from '@thaw/common/job/loss.ts';
import type { SampleRef } from '../cache/level.ts';
import { createEngine } from '../engine/create-engine.ts';
import type {
  Engine,
  EngineModel,
  LossSums,
  PrefixProgram,
  PrefixProgramOptions,
  StageProgram,
  StageProgramOptions,
} from '../engine/engine.ts';
import { drawnPixels, drawnWeights, smallClasses, smallGraph, smallPreprocessing } from '../testing/small-network.ts';
import type { JobContext } from './job-context.ts';
import { runProbe } from './probe.ts';

const graph = smallGraph();
const source = drawnWeights(graph);
const samples = 40;
let engine: Engine;

before(async () => {
  engine = await createEngine({ kind: 'cpu', threads: 1, gpus: 0 });
});

interface Stage {
  readonly select: readonly string[];
  readonly microBatch: number;
  readonly batchNorm?: 'train' | 'adapt';
}

function aContext(stages: readonly Stage[]): JobContext {
  const rows = Array.from({ length: samples }, (_, i) => i);
  return {
    job: {
      train: { seed: 1, loss: plainCrossEntropy },
      stages: stages.map((stage) => ({ batchNorm: 'frozen', ...stage })),
    },
    graph,
    source,
    manifest: {
      classes: Array.from({ length: smallClasses }, (_, i) => `class ${i}`),
      sets: { train: { ids: rows.map((i) => `sample ${i}`), labels: rows.map((i) => i % smallClasses) } },
    },
    shards: [Uint32Array.from(rows)],
  } as unknown as JobContext;
}

async function loadBlock(refs: readonly SampleRef[]) {
  return { pixels: Buffer.concat(refs.map(({ index }) => drawnPixels(`sample ${index}`))), present: [] };
}

interface Seen {
  readonly opened: StageProgramOptions[];
  readonly boundaries: string[];
  readonly counts: number[];
  /** Blocks of pixels that ran through frozen layers. */
  passes: number;
  disposed: number;
}

/** The small network on the plain engine, with what is asked of it written down; `spoil` changes one of its programs. */
function aModel(spoil: (program: StageProgram) => Partial<StageProgram> = () => ({})): {
  model: EngineModel;
  seen: Seen;
} {
  const loaded = engine.loadModel(graph, source, smallPreprocessing);
  const seen: Seen = { opened: [], boundaries: [], counts: [], passes: 0, disposed: 0 };
  const stageProgram = (options: StageProgramOptions): StageProgram => {
    const program = loaded.stageProgram(options);
    seen.opened.push(options);
    seen.boundaries.push(program.partition.boundary.join());
    return {
      ...program,
      features(pixels) {
        seen.passes += hasPrefix(program) ? 1 : 0;
        return program.features(pixels);
      },
      gradients(batch, gradient) {
        seen.counts.push(batch.weights.filter((weight) => weight > 0).length);
        return program.gradients(batch, gradient);
      },
      dispose() {
        seen.disposed += 1;
        program.dispose();
      },
      ...spoil(program),
    };
  };
  const prefixProgram = (options: PrefixProgramOptions): PrefixProgram => {
    const program = loaded.prefixProgram(options);
    return {
      ...program,
      run(input, wanted) {
        seen.passes += 1;
        return program.run(input, wanted);
      },
    };
  };
  return { model: { ...loaded, stageProgram, prefixProgram }, seen };
}

const headThenAll: readonly Stage[] = [
  { select: ['head/**'], microBatch: 4 },
  { select: ['**'], microBatch: 2 },
  { select: ['head/**'], microBatch: 4 },
  { select: ['head/**'], microBatch: 1 },
];

const measuring: readonly Stage[] = [
  { select: ['head/**'], microBatch: 4, batchNorm: 'adapt' },
  { select: ['**'], microBatch: 4 },
  { select: ['**'], microBatch: 4, batchNorm: 'train' },
];

test('every distinct pair of trainable set and micro-batch is proved, and disposed of', async () => {
  const { model, seen } = aModel();
  const { tensors } = engine.memory();
  const probe = await runProbe({ model, context: aContext(headThenAll), loadBlock, tick: () => {} });
  assert.deepEqual(seen.boundaries, ['head/pool', 'backbone/input', 'head/pool']);
  assert.deepEqual(
    seen.opened.map(({ microBatch }) => microBatch),
    [4, 2, 1],
  );
  assert.deepEqual(seen.counts, [4, 4, 3, 3, 2, 2, 1, 1, 1, 1]);
  assert.equal(seen.disposed, 3);
  assert.equal(engine.memory().tensors, tensors);
  assert.match(probe.digest, /^[0-9a-f]{64}$/);
  assert.deepEqual(
    await runProbe({ model: aModel().model, context: aContext(headThenAll), loadBlock, tick: () => {} }),
    probe,
  );
});

test("a stage's own digest is that of its program, whatever the other stages are", async () => {
  const probed = (stages: readonly Stage[]) =>
    runProbe({ model: aModel().model, context: aContext(stages), loadBlock, tick: () => {} });
  const { digest, stageDigests } = await probed(headThenAll);
  const [head, all, again, single] = stageDigests;
  assert.equal(again, head);
  assert.equal(new Set([head, all, single]).size, 3);
  const shorter = await probed([headThenAll[1] as Stage, headThenAll[0] as Stage]);
  assert.deepEqual(shorter.stageDigests, [all, head]);
  assert.notEqual(shorter.digest, digest);
});

/** Boundaries at four depths, one of them twice, and a stage without frozen layers. */
const unfreezing: readonly Stage[] = [
  { select: ['head/output'], microBatch: 4 },
  { select: ['head/**'], microBatch: 4 },
  { select: ['head/**', 'last(1)'], microBatch: 4 },
  { select: ['head/**', 'last(2)'], microBatch: 2 },
  { select: ['**'], microBatch: 2 },
  { select: ['head/**'], microBatch: 2 },
];

test('all boundaries are proved by three passes, and each stage has the digest of a job that trains it alone', async () => {
  const { model, seen } = aModel();
  const { tensors } = engine.memory();
  const { stageDigests } = await runProbe({ model, context: aContext(unfreezing), loadBlock, tick: () => {} });
  assert.equal(seen.passes, 3);
  assert.equal(new Set(seen.boundaries).size, 5);
  assert.equal(engine.memory().tensors, tensors);
  for (const [i, stage] of unfreezing.entries()) {
    const alone = aModel();
    const probe = await runProbe({ model: alone.model, context: aContext([stage]), loadBlock, tick: () => {} });
    assert.deepEqual(probe.stageDigests, [stageDigests[i]], `stage ${i}`);
    assert.equal(alone.seen.passes, i === 4 ? 0 : 3, 'by its own program');
  }
});

test('boundaries that fold otherwise do not share a pass, and keep their digests', async () => {
  const { model, seen } = aModel();
  const apart = { ...model, canPass: () => false };
  const context = aContext(unfreezing.slice(0, 3));
  const { stageDigests } = await runProbe({ model: apart, context, loadBlock, tick: () => {} });
  assert.equal(seen.passes, 9);
  const shared = await runProbe({ model: aModel().model, context, loadBlock, tick: () => {} });
  assert.deepEqual(stageDigests, shared.stageDigests);
});

test('refused: one boundary of a shared pass whose features depend on the row', async () => {
  const { model } = aModel();
  const { tensors } = engine.memory();
  const prefixProgram = (options: PrefixProgramOptions): PrefixProgram => {
    const program = model.prefixProgram(options);
    const run: PrefixProgram['run'] = (input, wanted) =>
      program.run(input, wanted).map((features, i) => (i === 2 ? nudged(features, 3) : features));
    return { ...program, run };
  };
  const context = aContext(unfreezing);
  await assert.rejects(runProbe({ model: { ...model, prefixProgram }, context, loadBlock, tick: () => {} }), {
    code: 'EngineUnavailable',
    message: /a sample's features depend on its place in the block/,
  });
  assert.equal(engine.memory().tensors, tensors);
});

/** Programs whose prefix is a part of the network only; that of all tensors has none to go wrong. */
const hasPrefix = ({ partition }: StageProgram): boolean => partition.boundary.join() !== 'backbone/input';

/** `values` with the first of them a little larger. */
function nudged(values: Float32Array, row = 0): Float32Array {
  const changed = Float32Array.from(values);
  const at = (changed.length / blockSize) * row;
  changed[at] = (changed[at] as number) + 1e-3;
  return changed;
}

const withLosses = (losses: Float32Array) => ({ probabilities: new Float32Array(), losses });

let runs = 0;
const unstable: readonly {
  readonly what: string;
  readonly said: RegExp;
  readonly spoil: (program: StageProgram) => Partial<StageProgram>;
}[] = [
  {
    what: 'features that depend on the row',
    said: /a sample's features depend on its place in the block/,
    spoil: (program) => (hasPrefix(program) ? { features: (pixels) => nudged(program.features(pixels), 3) } : {}),
  },
  {
    what: 'features that depend on neighbours',
    said: /a sample's features depend on its neighbours/,
    spoil: (program) => ({
      // Black images anywhere in the block change its first row.
      features(pixels) {
        const features = program.features(pixels);
        const imageBytes = pixels.length / blockSize;
        const isBlack = pixels.subarray(-imageBytes).every((byte) => byte === 0);
        return hasPrefix(program) && isBlack ? nudged(features) : features;
      },
    }),
  },
  {
    what: 'features that differ between two runs',
    said: /a prefix block differs between two runs/,
    spoil: (program) => ({
      features: (pixels) => (runs++ % 2 ? nudged(program.features(pixels)) : program.features(pixels)),
    }),
  },
  {
    what: 'a gradient of a short micro-batch that differs between two runs',
    said: /a gradient of 3 samples differs between two runs/,
    spoil: (program) => ({
      gradients(batch, gradient) {
        const sums = program.gradients(batch, gradient);
        if (batch.weights[3] === 0 && runs++ % 2) gradient[0] = (gradient[0] as number) + 1;
        return sums;
      },
    }),
  },
  {
    what: 'probabilities that differ between two runs',
    said: /an evaluation batch differs between two runs/,
    spoil: (program) => ({
      evaluate(features, labels) {
        const { probabilities, losses } = program.evaluate(features, labels);
        return { probabilities: runs++ % 2 ? nudged(probabilities) : probabilities, losses };
      },
    }),
  },
];

for (const { what, said, spoil } of unstable) {
  test(`refused: ${what}`, async () => {
    runs = 0;
    const { model, seen } = aModel(spoil);
    await assert.rejects(runProbe({ model, context: aContext(headThenAll), loadBlock, tick: () => {} }), {
      code: 'EngineUnavailable',
      message: said,
    });
    assert.equal(seen.disposed, seen.opened.length);
  });
}

test('other bits in any stage are another digest', async () => {
  const digestOf = async (spoil?: (program: StageProgram) => Partial<StageProgram>) =>
    (await runProbe({ model: aModel(spoil).model, context: aContext(headThenAll), loadBlock, tick: () => {} })).digest;
  const honest = await digestOf();
  const spoilers: readonly ((program: StageProgram) => Partial<StageProgram>)[] = [
    (program) =>
      hasPrefix(program) ? { features: (pixels) => program.features(pixels).map((value) => value * 1.000001) } : {},
    (program) =>
      hasPrefix(program) ? {} : { evaluate: (...given) => withLosses(nudged(program.evaluate(...given).losses, 7)) },
    (program) => ({
      gradients(batch, gradient) {
        const sums = program.gradients(batch, gradient);
        if (batch.weights.length === 1) gradient[0] = (gradient[0] as number) + 1e-6;
        return sums;
      },
    }),
  ];
  const digests = [honest];
  for (const spoil of spoilers) digests.push(await digestOf(spoil));
  assert.equal(new Set(digests).size, digests.length);
});

test('statistics that move are another network, and those that a stage adapts are proved before it', async () => {
  const { model, seen } = aModel();
  const { tensors } = engine.memory();
  const { digest } = await runProbe({ model, context: aContext(measuring), loadBlock, tick: () => {} });
  assert.deepEqual(
    seen.opened.map(({ statistics }) => statistics?.entries.length),
    [0, 0, 3],
  );
  assert.equal(engine.memory().tensors, tensors);
  const spoilers: readonly Partial<EngineModel>[] = [
    {
      momentsProgram: (options) => {
        const program = model.momentsProgram(options);
        return { moments: (pixels, present) => nudged(program.moments(pixels, present)) };
      },
    },
    {
      stageProgram(options) {
        const program = model.stageProgram(options);
        const spoiled = (sums: LossSums): LossSums => ({ ...sums, moments: nudged(sums.moments) });
        return { ...program, gradients: (batch, gradient) => spoiled(program.gradients(batch, gradient)) };
      },
    },
  ];
  const digests = [digest];
  for (const spoiled of spoilers) {
    digests.push(
      (await runProbe({ model: { ...model, ...spoiled }, context: aContext(measuring), loadBlock, tick: () => {} }))
        .digest,
    );
  }
  assert.equal(new Set(digests).size, 3);
});
