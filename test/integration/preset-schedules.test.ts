// Every preset as a job meets it: prepared from files, entered epoch by epoch on the core's directives, trained step by
// step by the trainer's own loop. The golden has what each step did to each layer. SGD, and a sum of gradients that is 1
// everywhere, make the rate of a tensor the distance by which it moved, so nothing has to be asked for its rate. Norms by
// which `auto` ranks blocks are given; services/trainer/train/rank-blocks.test.ts measures them.

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { blockSize } from '@thaw/common/data/block-size.ts';
import { shardTrainSet } from '@thaw/common/data/shards.ts';
import type { Preset } from '@thaw/common/job/presets.ts';
import type { Logger } from '@thaw/common/log/logger.ts';
import type { Graph, Layer, Weights } from '@thaw/common/model/graph.ts';
import { rankableBlocks } from '@thaw/common/model/ranked.ts';
import { directiveMessage } from '@thaw/coordinator/core/directive.ts';
import type { TrainWork } from '@thaw/coordinator/core/state.ts';
import { prepareJob } from '@thaw/coordinator/prepare/prepare-job.ts';
import type { PreparedJob } from '@thaw/coordinator/prepare/prepared-job.ts';
import { aPlan, Play } from '@thaw/coordinator/testing/builders.ts';
import { noFeatureCounts } from '@thaw/trainer/cache/feature-counts.ts';
import { featureStore } from '@thaw/trainer/cache/feature-store.ts';
import { memoryRows } from '@thaw/trainer/cache/memory-rows.ts';
import { generationAlone } from '@thaw/trainer/collective/alone.ts';
import type { Collective } from '@thaw/trainer/collective/collective.ts';
import type { CommsLink } from '@thaw/trainer/comms/comms-link.ts';
import { newBoardBuffer, progressBoard } from '@thaw/trainer/comms/progress-board.ts';
import { createPixelSource } from '@thaw/trainer/data/pixel-source.ts';
import { createEngine } from '@thaw/trainer/engine/create-engine.ts';
import { trainEpoch } from '@thaw/trainer/train/epoch.ts';
import type { JobContext } from '@thaw/trainer/train/job-context.ts';
import { noSnapshots } from '@thaw/trainer/train/snapshots.ts';
import { stageFeatures } from '@thaw/trainer/train/stage-features.ts';
import { createStages, type StageRuntime } from '@thaw/trainer/train/stage-runtime.ts';
import { temporaryFolder } from '../support/fixtures/temporary-folder.ts';
import { aTinyJob, writeTinyJob } from '../support/fixtures/tiny-job.ts';

const presets: readonly Preset[] = ['linear-probe', 'lp-ft', 'ulmfit', 'fastai', 'full', 'auto'];
const golden = path.join(import.meta.dirname, 'preset-schedules.golden.txt');
const endings: (() => Promise<void>)[] = [];
let folder = '';

before(async () => {
  folder = await temporaryFolder({ after: (ending) => endings.push(ending) });
  await writeTinyJob(folder, { images: { perClass: 12, size: 8 } });
});
after(async () => {
  for (const ending of endings) await ending();
});

/** Two epochs of four steps a stage, and a rate of 0.1; one shard of small pictures, because no value of them shows. */
function prepared(preset: Preset): Promise<PreparedJob> {
  const optimizer = { adam: undefined, sgd: { learningRate: 0.1 } };
  const spec = {
    model: { input: { size: 8 } },
    data: { shards: 1 },
    train: { microBatch: 8, optimizer, schedule: { preset, epochs: 2, stages: undefined } },
    trainers: { max: 1, engine: 'cpu' },
  };
  return prepareJob({ jobText: aTinyJob({ spec }), fileName: 'job.yaml', baseDir: folder, cacheDirectory: folder });
}

/** By how much each layer's tensors fell in one step; layers that stayed are left out. */
type Moves = ReadonlyMap<string, number>;

interface TrainedStage {
  readonly name: string;
  readonly entry: TrainWork;
  readonly steps: Moves[];
}

/** All weights are 0 before each step, so that what is there after it is the step's own, to the last bit. */
async function trainedStages({ job, graph, weights, manifest, dataRoot, plan }: PreparedJob): Promise<TrainedStage[]> {
  const source: Weights = new Map(
    [...weights].map(([name, { shape, data }]) => [name, { shape, data: new Float32Array(data.length) }]),
  );
  const shards = shardTrainSet(manifest, job.data.shards);
  const context: JobContext = { job, graph, source, manifest, dataRoot, shards };
  const { stages, model, link } = await openedStages(context);
  const nothingTrained = stages.encode('');
  const generation = generationAlone(shards.length, 'trainer-0');
  const trained: TrainedStage[] = [];
  const trainStep = async (train: TrainWork, step: number): Promise<Moves> => {
    stages.restore(nothingTrained, 'the state without training');
    const runtime = stages.enter(train.stage, { resetOptimizer: train.resetOptimizer, revision: step });
    const directive = { ...train, restoring: [], firstStep: step, lastStep: step };
    const work = {
      term: 1,
      revision: step,
      generation,
      self: 0,
      context,
      link,
      snapshots: noSnapshots,
      applied: () => undefined,
    };
    await trainEpoch({ ...work, directive, runtime, collective: unitGradients(runtime) });
    return movesOf(graph.layers, model.readWeights([...source.keys()]));
  };
  // The first epoch of every stage is its best one.
  const play = new Play(aPlan({ shards: shards.length, replicas: 1, stages: plan.stages })).gather(1);
  for (; play.kind() !== 'finish'; play.answer([9, 8, 7, 6, 5, 4, 3, 2])) {
    if (play.kind() === 'rank') answerRanked(play, graph);
    if (play.kind() !== 'train') continue;
    stages.rank(directiveMessage(play.state)?.rankedBlocks ?? []);
    const { train } = play.work('train');
    if (trained.length === train.stage)
      trained.push({ name: job.stages[train.stage]?.name ?? '', entry: train, steps: [] });
    for (let step = train.firstStep; step <= train.lastStep; step++) {
      trained.at(-1)?.steps.push(await trainStep(train, step));
    }
  }
  return trained;
}

/** The block furthest from the output has the largest gradient: the other way round than `last(n)` would have it. */
function answerRanked(play: Play, graph: Graph): void {
  const blocks = rankableBlocks(graph).map(({ name }, fromOutput) => ({
    block: name,
    gradient: 1 + fromOutput,
    weights: 1,
  }));
  for (const [from, report] of play.reports()) {
    play.tell({ kind: 'report', from, report: { ...report, ranked: { count: 8, blocks } } });
  }
}

async function openedStages(context: JobContext) {
  const { job, graph, source, manifest, dataRoot } = context;
  const { preprocessing } = job.model;
  const engine = await createEngine({ kind: 'cpu', threads: 1, gpus: 0 });
  const model = engine.loadModel(graph, source, preprocessing);
  const board = progressBoard(newBoardBuffer());
  const link: Pick<CommsLink, 'board' | 'check' | 'interruptible' | 'observe'> = {
    board,
    check: () => {},
    interruptible: (work) => work,
    observe: () => {},
  };
  const log = { warn: () => {}, info: () => {} } as unknown as Logger;
  const pixels = createPixelSource({
    manifest,
    root: dataRoot,
    preprocessing,
    augment: [],
    seed: job.train.seed,
    blockSize,
    onBad: (samples) => assert.deepEqual(samples, []),
  });
  const features = stageFeatures({
    context,
    model,
    engineClass: engine.engineClass,
    store: featureStore(memoryRows(1e8)),
    counts: noFeatureCounts(),
    loadBlock: pixels.loadBlock,
    board,
    log,
  });
  return { stages: createStages({ context, model, link, features, log }), model, link };
}

/** In the place of the all-reduce: whatever the shards have computed, the sum over them is 1 for every element. */
function unitGradients({ layout }: StageRuntime): Collective {
  const done = async (): Promise<void> => {};
  return {
    open: done,
    close: done,
    gradientBuffer: () => new Float32Array(layout.length),
    exchange: async ({ step, shards }) => ({
      step,
      sums: new Int32Array(layout.length).fill(1),
      exponents: new Int32Array(layout.entries.length),
      weight: 1,
      count: shards.reduce((sum, { count }) => sum + count, 0),
      loss: 1,
      correct: 0,
      statistics: new BigInt64Array(0),
      nonFinite: [],
      acknowledgedPlan: 0,
      seconds: { announce: 0, reduce: 0 },
      bytes: { sent: 0, received: 0 },
    }),
  };
}

function movesOf(layers: readonly Layer[], values: Weights): Moves {
  const moves = new Map<string, number>();
  for (const { path: layer, weights } of layers) {
    const trainable = weights.filter(({ role }) => !role.startsWith('moving'));
    const fell = new Set(
      trainable.flatMap(({ name }) => [...(values.get(name)?.data ?? [])].map((value) => 0 - value)),
    );
    assert.ok(fell.size <= 1, `the elements of ${layer} moved by different amounts: ${[...fell].join()}`);
    const [rate = 0] = fell;
    if (rate !== 0) moves.set(layer, rate);
    const statistics = weights.filter(({ role }) => role.startsWith('moving'));
    for (const { name } of statistics)
      assert.ok(
        values.get(name)?.data.every((value) => value === 0),
        `${name} moved`,
      );
  }
  return moves;
}

/** A table a stage: a row for each layer, from the output down, a column for each step. */
function asTable(stage: TrainedStage, { graph }: PreparedJob): string {
  const { name, entry, steps } = stage;
  const restored = Number.parseInt(entry.restoreDigest.replace(/^sha256:e*/, '') || '0', 16) + 1;
  const from =
    entry.stageFirstStep === 1 ? 'the source' : entry.restoreDigest === '' ? 'the last epoch' : `epoch ${restored}`;
  const rows = graph.layers
    .filter(({ weights }) => weights.length > 0)
    .toReversed()
    .map((layer) => {
      const tensors = layer.weights.filter(({ role }) => !role.startsWith('moving'));
      const names = tensors.map((tensor) => tensor.name.slice(layer.path.length + 1)).join(' ');
      const rates = steps.map((moves) => moves.get(layer.path));
      return row(
        `${layer.path} (${names})`,
        rates.map((rate) => (rate === undefined ? '.' : text(rate))),
      );
    });
  const head = row(
    `stage "${name}", from ${from}; step`,
    steps.map((_, i) => String(entry.stageFirstStep + i)),
  );
  return [head, ...rows].join('\n');
}

function row(name: string, cells: readonly string[]): string {
  return `${name.padEnd(46)}${cells.map((cell) => cell.padStart(11)).join('')}`;
}

function text(rate: number): string {
  const rounded = Number(rate.toPrecision(5));
  return rounded < 1e-4 ? rounded.toExponential() : String(rounded);
}

test('presets train the layers that are written down, in every step at the rates that are written down', async () => {
  const tables: string[] = [];
  for (const preset of presets) {
    const job = await prepared(preset);
    const stages = await trainedStages(job);
    tables.push([preset, ...stages.map((stage) => asTable(stage, job))].join('\n\n'));
  }
  const found = `${tables.join('\n\n\n')}\n`;
  if (process.env.UPDATE_GOLDEN) await writeFile(golden, found);
  assert.equal(found, await readFile(golden, 'utf8'));
});
