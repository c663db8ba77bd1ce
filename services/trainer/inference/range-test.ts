// The learning-rate range test of a job's first stage, in one process: the stages, features, gradients and updates of a
// trainer, with the rate of each step taken from the range instead of from the stage's curve. Nothing is stored: the
// weights that it ruins are gone with the process.

import { blockSize } from '@thaw/common/data/block-size.ts';
import type { DataManifest } from '@thaw/common/data/manifest.ts';
import { shardTrainSet } from '@thaw/common/data/shards.ts';
import { invariant, ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { ResolvedJob } from '@thaw/common/job/resolved-job.ts';
import type { Graph, Weights } from '@thaw/common/model/graph.ts';
import {
  type RangePoint,
  type RangeRecord,
  type RateRange,
  rangeRateAt,
  rangeRecord,
} from '@thaw/common/schedule/range-test.ts';
import { noFeatureCounts } from '../cache/feature-counts.ts';
import { openFeatureStore } from '../cache/open-store.ts';
import { collectiveAlone, generationAlone } from '../collective/alone.ts';
import { newBoardBuffer, type ProgressBoard, progressBoard } from '../comms/progress-board.ts';
import { createPixelSource } from '../data/pixel-source.ts';
import { createEngine } from '../engine/create-engine.ts';
import type { EngineClass } from '../engine/engine.ts';
import { adaptStatistics } from '../train/adapt-statistics.ts';
import { type EpochWork, trainEpoch } from '../train/epoch.ts';
import type { JobContext } from '../train/job-context.ts';
import { noSnapshots } from '../train/snapshots.ts';
import { stageFeatures } from '../train/stage-features.ts';
import { createStages, type StageRuntime } from '../train/stage-runtime.ts';
import type { Notice } from './messages.ts';

/** A prepared job, as far as its first stage needs it. */
export interface RangeSubject {
  readonly job: ResolvedJob;
  readonly graph: Graph;
  readonly weights: Weights;
  readonly manifest: DataManifest;
  readonly dataRoot: string;
  readonly range: RateRange;
}

export interface RangeResult {
  readonly points: readonly RangePoint[];
  /** range: all steps were taken. notFinite: a loss, gradient or weight was no number any more. */
  readonly ended: 'range' | 'diverged' | 'notFinite';
  readonly engineClass: EngineClass;
}

/** Features in memory where the job says nothing; what does not fit is computed again. */
const featureBytesDefault = 2 ** 30;
const revision = 1;

class Diverged extends Error {}

/** Throws what a trainer throws, but for a training that diverges: that is the test's end. One a process. */
export async function runRangeTest(subject: RangeSubject, tell: (notice: Notice) => void): Promise<RangeResult> {
  const context = contextOf(subject);
  const record = rangeRecord();
  const board = progressBoard(newBoardBuffer());
  const link = linkOf({ board, record, steps: subject.range.steps, tell });
  const { stages, model, engineClass } = await openStages(context, link, tell);
  const collective = collectiveAlone();
  const generation = generationAlone(context.job.data.shards, 'lr-find');
  let runtime = stages.enter(0, { resetOptimizer: false, revision });
  const { layout, tensorSet } = runtime;
  await collective.open({ generation, stage: 0, self: 0, layout, tensorSet, shards: generation.shardOwners.length });
  const work = {
    term: 1,
    revision,
    generation,
    self: 0,
    context,
    collective,
    link,
    snapshots: noSnapshots,
    applied: () => undefined,
  };
  try {
    if (runtime.statistics.adapted.length > 0) {
      const moments = await adaptStatistics({ ...work, model, runtime, directive: epochOf(runtime, 0) });
      runtime = stages.adapt(moments);
    }
    const ended = await trainThrough({ ...work, runtime: recorded(runtime, record, subject.range) }, record);
    return { points: record.points, ended, engineClass };
  } finally {
    await collective.close();
  }
}

async function trainThrough(work: Omit<EpochWork, 'directive'>, record: RangeRecord): Promise<RangeResult['ended']> {
  const { stepsPerEpoch, stageSteps } = work.runtime;
  try {
    for (let epoch = 0; epoch * stepsPerEpoch < stageSteps; epoch++) {
      await trainEpoch({ ...work, directive: epochOf(work.runtime, epoch) });
    }
  } catch (thrown) {
    if (thrown instanceof Diverged) return 'diverged';
    // Without a single finite step it is no rate that is too high, and the message says what it is.
    if (thrown instanceof ThawError && thrown.code === 'NonFinite' && record.points.length > 0) return 'notFinite';
    throw thrown;
  }
  return record.diverged ? 'diverged' : 'range';
}

/** The first stage alone, for the steps of the range. No validation set: nothing is evaluated. */
function contextOf({ job, graph, weights, manifest, dataRoot, range }: RangeSubject): JobContext {
  const [first] = job.stages;
  invariant(first !== undefined, 'a job has a stage');
  const stage = { ...first, length: { kind: 'steps', steps: range.steps }, advanceOn: null } as const;
  const none = { ids: [], paths: [], labels: [], byteLengths: [] };
  return {
    job: {
      ...job,
      stages: [stage],
      train: { ...job.train, onNonFinite: 'fail' },
      trainers: { ...job.trainers, cache: { ...job.trainers.cache, diskBytes: 0 } },
    },
    graph,
    source: weights,
    manifest: { ...manifest, sets: { ...manifest.sets, validation: none } },
    dataRoot,
    shards: shardTrainSet(manifest, job.data.shards),
  };
}

/** The directive that a coordinator would give. Steps count from 1. */
function epochOf({ stepsPerEpoch, stageSteps }: StageRuntime, epoch: number): EpochWork['directive'] {
  const firstStep = epoch * stepsPerEpoch + 1;
  const lastStep = Math.min(stageSteps, firstStep + stepsPerEpoch - 1);
  const whole = { epochFirstStep: firstStep, soFar: null, snapshotMember: 0, restoring: [] };
  return {
    stage: 0,
    epoch,
    firstStep,
    lastStep,
    ...whole,
    stageFirstStep: 1,
    restoreDigest: '',
    resetOptimizer: false,
  };
}

/** Applies with the range's rate, and keeps the loss that the step began with, penalties included. */
function recorded(runtime: StageRuntime, record: RangeRecord, range: RateRange): StageRuntime {
  return {
    ...runtime,
    apply(result) {
      const learningRate = rangeRateAt(range, result.step - 1);
      const applied = runtime.apply(result, learningRate);
      record.add(learningRate, result.loss / result.count + applied.penalty);
      return applied;
    },
  };
}

interface LinkOptions {
  readonly board: ProgressBoard;
  readonly record: RangeRecord;
  readonly steps: number;
  readonly tell: (notice: Notice) => void;
}

/** In the place of a coordinator: between micro-batches it says how far the test is, and ends it when it diverged. */
function linkOf({ board, record, steps, tell }: LinkOptions): EpochWork['link'] {
  return {
    board,
    check() {
      if (record.diverged) throw new Diverged();
      const [done, total] = [board.get('done'), board.get('total')];
      if (board.phase() !== 'features')
        tell({ kind: 'progress', phase: 'step', done: record.points.length, total: steps });
      else if (total > 0) tell({ kind: 'progress', phase: 'features', done: Math.min(done, total), total });
    },
    interruptible: (work) => work,
    observe: () => undefined,
  };
}

async function openStages(context: JobContext, link: EpochWork['link'], tell: (notice: Notice) => void) {
  const { job, graph, source, manifest, dataRoot } = context;
  const { threads, gpus, engine: kind } = job.trainers;
  const engine = await createEngine({ kind, threads, gpus });
  const { engineClass } = engine;
  const model = engine.loadModel(graph, source, job.model.preprocessing);
  const pixels = createPixelSource({
    manifest,
    root: dataRoot,
    preprocessing: job.model.preprocessing,
    augment: job.data.augment,
    seed: job.train.seed,
    blockSize,
    onBad(samples) {
      for (const { id, reason } of samples) tell({ kind: 'badSample', id, reason });
    },
  });
  const loadBlock = pixels.loadBlock.bind(pixels);
  const counts = noFeatureCounts();
  const log = { info: () => undefined, warn: () => undefined };
  const store = openFeatureStore({ context, memoryBytes: featureBytesDefault, cacheDirectory: '', counts, log });
  const features = stageFeatures({ context, model, engineClass, store, counts, loadBlock, board: link.board, log });
  return { stages: createStages({ context, model, link, features, log }), model, engineClass };
}
