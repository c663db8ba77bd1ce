// Holds the state across stages and the one stage program that is open: enters stages, restores states, applies
// updates to engine and state alike, and checks that frozen tensors stayed what they were.

import { createHash } from 'node:crypto';
import { blockSize } from '@thaw/common/data/block-size.ts';
import { invariant, ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { ResolvedStage } from '@thaw/common/job/resolved-job.ts';
import type { Logger } from '@thaw/common/log/logger.ts';
import { type StageStatistics, stageStatistics, statisticsNames } from '@thaw/common/model/batch-statistics.ts';
import { blocksOf } from '@thaw/common/model/blocks.ts';
import type { Tensor, WeightRole, Weights } from '@thaw/common/model/graph.ts';
import { boundaryGrids, type Grid, pictureGrid } from '@thaw/common/model/grid.ts';
import { withRanked } from '@thaw/common/model/ranked.ts';
import { selectTrainable } from '@thaw/common/model/select.ts';
import type { TensorLayout } from '@thaw/common/model/tensor-layout.ts';
import { stageStepsMax, stepsPerEpoch } from '@thaw/common/schedule/steps.ts';
import type { FeatureSource } from '../cache/feature-source.ts';
import type { LoadBlock } from '../cache/pixel-level.ts';
import { fitText, type StoreFit } from '../cache/store-fit.ts';
import type { StepResult } from '../collective/collective.ts';
import type { CommsLink } from '../comms/comms-link.ts';
import type { EngineModel, StageProgram } from '../engine/engine.ts';
import { moveStatistics, pooledMoments, type StatisticsRule, shardStatistics } from './batch-statistics.ts';
import type { JobContext } from './job-context.ts';
import { type OldTaskProgram, openOldTask } from './old-task.ts';
import type { StageFeatures, StageFeaturesFactory } from './stage-features.ts';
import { decodeState, encodeState, enterStage, holdStatistics, stateDigest, type TrainState } from './train-state.ts';
import { type Applied, applyUpdate, type UpdateRule } from './update-rule.ts';
import { averagesOf, settleAverages } from './weight-averages.ts';

export interface StageRuntime {
  readonly stage: ResolvedStage;
  readonly program: StageProgram;
  readonly layout: TensorLayout;
  readonly features: FeatureSource;
  /** Measures what is left of the old task; null without retention. */
  readonly oldTask: OldTaskProgram | null;
  readonly loadBlock: LoadBlock;
  /** Where height and width lie in a picture, and in a row of the boundary; empty for a boundary without them. */
  readonly grids: { readonly picture: Grid; readonly boundary: readonly Grid[] };
  readonly stepsPerEpoch: number;
  /** Steps of the whole stage at most; learning-rate curves span them. */
  readonly stageSteps: number;
  readonly statistics: StageStatistics;
  /** Identity of the trainable tensors, announced in every step. */
  readonly tensorSet: string;
  /** What a shard says about the batch statistics of its micro-batch; null where none move. */
  measure(moments: Float32Array, samples: number): BigInt64Array | null;
  apply(result: StepResult, learningRate: number): Applied;
}

export interface Stages {
  /** What `ranked(n)` stands for from now on: names of all blocks, first to thaw first; none: it is not known yet. */
  rank(order: readonly string[]): void;
  enter(index: number, options: { readonly resetOptimizer: boolean; readonly revision: number }): StageRuntime;
  /** Sets the statistics that the open stage adapts, in its layout's order, and opens the stage anew with them. */
  adapt(moments: Float64Array): StageRuntime;
  restore(bytes: Uint8Array, what: string): void;
  /** As before any training. */
  restoreSource(): void;
  encode(scheduleState: string): Uint8Array<ArrayBuffer>;
  digest(): string;
  /** Runs `work` with the averages in the place of the weights that they average, where the stage averages. */
  withAverages<T>(work: () => Promise<T>): Promise<T>;
  /** Throws FrozenChanged naming the tensor; returns true for the report. */
  assertFrozenIntact(): true;
}

export interface StagesOptions {
  readonly context: JobContext;
  readonly model: EngineModel;
  readonly link: Pick<CommsLink, 'check'>;
  readonly features: StageFeaturesFactory;
  readonly log: Pick<Logger, 'warn'>;
}

interface Current {
  readonly index: number;
  readonly runtime: StageRuntime;
  readonly features: StageFeatures;
}

export function createStages(options: StagesOptions): Stages {
  const { context, model, link } = options;
  let state: TrainState = new Map();
  let current: Current | null = null;
  let revision = 0;
  let stages = context.job.stages;
  const checkpoint = async (): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve));
    link.check(revision);
  };
  const close = (): void => {
    current?.runtime.program.dispose();
    current?.runtime.oldTask?.program.dispose();
    current?.features.dispose();
    current = null;
  };

  const open = (index: number, reset: boolean): StageRuntime => {
    close();
    const stage = stageAt(stages, index);
    const { tensors } = selectTrainable(context.graph, stage.select);
    model.writeWeights(settleAverages(state, index));
    enterStage(state, tensors, { optimizer: stage.optimizer, reset, source: context.source });
    const statistics = stageStatistics(context.graph, stage);
    holdStatistics(state, statisticsNames(statistics.moved), context.source);
    const program = model.stageProgram({
      trainable: tensors.map(({ name }) => name),
      seed: context.job.train.seed,
      blockSize,
      microBatch: stage.microBatch,
      classes: context.manifest.classes.length,
      loss: context.job.train.loss,
      statistics: statistics.moved,
    });
    const onFull = (fit: StoreFit): void => options.log.warn({ stage: stage.name, ...fit }, fitText(fit));
    const changing = [...tensors.map(({ name }) => name), ...statisticsNames(statistics.moved)];
    const oldTask = context.oldGraph ? openOldTask(options, context.oldGraph, { stage, changing }) : null;
    const features = options.features.open({ index, stages }, { program, oldTask }, { checkpoint, onFull });
    const runtime = stageRuntime({ context, model, index, stage, statistics, program, oldTask, features, state });
    current = { index, runtime, features };
    return runtime;
  };

  const replaceState = (restored: TrainState): void => {
    const dropped = [...state.keys()].filter((name) => !restored.has(name));
    close();
    state = restored;
    model.writeWeights(sourceValues(context.source, dropped));
    model.writeWeights(valuesOf(state));
  };

  return {
    rank(order) {
      if (order.length > 0) stages = context.job.stages.map((stage) => withRanked(stage, order));
    },
    enter(index, { resetOptimizer, revision: forRevision }) {
      revision = forRevision;
      return current?.index === index && !resetOptimizer ? current.runtime : open(index, resetOptimizer);
    },
    adapt(pooled) {
      invariant(current !== null, 'statistics are adapted in a stage');
      const { index, runtime } = current;
      const { adapted } = runtime.statistics;
      const names = statisticsNames(adapted);
      holdStatistics(state, names, context.source);
      moveStatistics(state, adapted, { pooled, set: true });
      model.writeWeights(valuesOf(state, names));
      return open(index, false);
    },
    restore: (bytes, what) => replaceState(decodeState(bytes, what)),
    restoreSource() {
      if (state.size > 0) replaceState(new Map());
    },
    encode: (scheduleState) => encodeState(state, scheduleState),
    digest: () => stateDigest(state),
    async withAverages(work) {
      const averages = averagesOf(state);
      model.writeWeights(averages);
      try {
        return await work();
      } finally {
        model.writeWeights(valuesOf(state, averages.keys()));
      }
    },
    // In every epoch: the 260 tensors of a MobileNetV2 are read back and compared in 5 to 20 ms.
    assertFrozenIntact() {
      const trained = new Set(current?.runtime.layout.entries.map(({ name }) => name));
      const layers = [...model.graph.layers, ...(context.oldGraph?.layers ?? [])];
      const names = new Set(layers.flatMap(({ weights }) => weights.map(({ name }) => name)));
      const frozen = [...names].filter((name) => !trained.has(name));
      for (const [name, { data }] of model.readWeights(frozen)) {
        const expected = state.get(name)?.value ?? context.source.get(name)?.data;
        invariant(expected !== undefined, `${name} has no value at the source`);
        if (!sameBits(data, expected))
          throw new ThawError('FrozenChanged', `${name} is frozen, but its values changed`);
      }
      return true;
    },
  };
}

interface RuntimeParts {
  readonly context: JobContext;
  readonly model: EngineModel;
  readonly index: number;
  readonly stage: ResolvedStage;
  readonly statistics: StageStatistics;
  readonly program: StageProgram;
  readonly oldTask: StageProgram | null;
  readonly features: StageFeatures;
  readonly state: TrainState;
}

function stageRuntime(parts: RuntimeParts): StageRuntime {
  const { context, model, index, stage, statistics, program, oldTask, features, state } = parts;
  const { layout } = program;
  const { moved } = statistics;
  const steps = stepsPerEpoch(
    context.shards.map(({ length }) => length),
    stage.microBatch,
  );
  const rule = updateRuleOf(context, { index, stage }, layout);
  const buffers = { gradient: new Float64Array(layout.length) };
  const names = [...layout.entries.map(({ name }) => name), ...statisticsNames(moved)];
  const statisticsRule = (): StatisticsRule => ({
    layout: moved,
    reference: valuesOf(state, statisticsNames(moved)),
    samplesMax: context.shards.length * stage.microBatch,
    contributionsMax: context.shards.length,
  });
  return {
    stage,
    statistics,
    program,
    layout,
    features: features.source,
    oldTask: oldTask && features.oldTask ? { program: oldTask, features: features.oldTask } : null,
    loadBlock: features.loadBlock,
    grids: { picture: pictureGrid(context.graph), boundary: boundaryGrids(context.graph, program.partition.boundary) },
    stepsPerEpoch: steps,
    stageSteps: stageStepsMax(stage, steps),
    tensorSet: tensorSetOf(layout),
    measure: (moments, samples) => (moved.length === 0 ? null : shardStatistics(statisticsRule(), moments, samples)),
    apply(reduced, learningRate) {
      const applied = applyUpdate(state, layout, { rule, reduced, learningRate, buffers });
      if (moved.length > 0) {
        const pooled = pooledMoments(statisticsRule(), reduced.statistics, reduced.count);
        moveStatistics(state, moved, { pooled, set: false });
      }
      model.writeWeights(valuesOf(state, names));
      return applied;
    },
  };
}

/** Hex sha256 of names, shapes and places. */
export function tensorSetOf({ entries }: TensorLayout): string {
  return createHash('sha256').update(JSON.stringify(entries)).digest('hex');
}

function updateRuleOf(
  { job, graph, source }: JobContext,
  { index, stage }: Pick<RuntimeParts, 'index' | 'stage'>,
  layout: TensorLayout,
): UpdateRule {
  const specs = new Map(
    graph.layers.flatMap((layer) => layer.weights.map((spec) => [spec.name, { spec, path: layer.path }])),
  );
  const blocks = blocksOf(graph).reverse();
  const distance = (path: string): number => 1 + blocks.findIndex(({ layers }) => layers.includes(path));
  const entries = layout.entries.map(({ name }) => specs.get(name));
  return {
    optimizer: stage.optimizer,
    rateFactors: entries.map((entry) => stage.layerDecay ** distance(entry?.path ?? '')),
    roles: entries.map((entry) => entry?.spec.role as WeightRole),
    l2: job.train.l2,
    l2sp: stage.l2sp,
    pretrained: new Map([...source].filter(([name]) => name.startsWith('backbone/'))),
    clipNorm: job.train.gradientClip?.norm ?? null,
    emaDecay: stage.emaDecay,
    stage: { index, name: stage.name },
  };
}

function stageAt(stages: readonly ResolvedStage[], index: number): ResolvedStage {
  const stage = stages[index];
  invariant(stage !== undefined, `the job has ${stages.length} stages; stage ${index} was asked for`);
  return stage;
}

function valuesOf(state: TrainState, names: Iterable<string> = state.keys()): Weights {
  const values = new Map<string, Tensor>();
  for (const name of names) {
    const tensor = state.get(name);
    if (tensor) values.set(name, { shape: tensor.shape, data: tensor.value });
  }
  return values;
}

function sourceValues(source: Weights, names: readonly string[]): Weights {
  return new Map(names.map((name) => [name, source.get(name) as Tensor]));
}

function sameBits(a: Float32Array, b: Float32Array): boolean {
  const bytes = ({ buffer, byteOffset, byteLength }: Float32Array) => new Uint8Array(buffer, byteOffset, byteLength);
  return Buffer.compare(bytes(a), bytes(b)) === 0;
}
