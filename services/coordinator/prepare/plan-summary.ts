// What a prepared job will take, stage by stage, before anything runs: tensors, bytes on the wire, steps, and an
// estimate of a trainer's memory. Pure.

import { blockSize } from '@thaw/common/data/block-size.ts';
import type { ResolvedStage } from '@thaw/common/job/resolved-job.ts';
import { isStoredBefore, prefixComputes, stageCuts } from '@thaw/common/model/feature-levels.ts';
import type { Graph } from '@thaw/common/model/graph.ts';
import { elementsOf, parametersOf } from '@thaw/common/model/parameters.ts';
import { floatsOf } from '@thaw/common/model/partition.ts';
import { rankedCount, withBlocksBySize, withEveryBlock } from '@thaw/common/model/ranked.ts';
import { selectTrainable } from '@thaw/common/model/select.ts';
import { epochsOf } from '../core/job-plan.ts';
import { mixesPixels } from './mixing.ts';
import type { PreparedJob, PreparedStage } from './prepared-job.ts';

export interface PlanSummary {
  readonly name: string;
  readonly jobDigest: string;
  readonly model: { readonly source: string; readonly origin: string; readonly parameters: number };
  readonly data: {
    readonly source: string;
    readonly classes: number;
    readonly samples: PreparedJob['plan']['samples'];
    readonly shards: number;
  };
  /** Samples that show what is forgotten; absent without retention. */
  readonly oldTask?: {
    readonly source: string;
    readonly samples: number;
    readonly classes: number;
    /** Null: it is only watched. */
    readonly maxDrop: number | null;
    readonly onExceed: 'stop' | 'rollback';
  };
  readonly trainers: number;
  /** What the user must not overlook, a sentence each. */
  readonly warnings: readonly string[];
  readonly stages: readonly StageSummary[];
}

export interface StageSummary {
  readonly name: string;
  /** As written in the job, or as the preset expanded them. */
  readonly select: readonly string[];
  /** Of a stage that trains ranked blocks: those that are sure. */
  readonly trainableLayers: readonly string[];
  /** Of a stage that trains ranked blocks: at most. */
  readonly trainableParameters: number;
  /** Of such a stage: how many blocks, and what it trains at least. They are measured after the stage named. */
  readonly ranked?: { readonly blocks: number; readonly parametersMin: number; readonly measuredAfter: string };
  readonly frozenParameters: number;
  readonly optimizer: string;
  readonly learningRate: number;
  readonly batchNorm: ResolvedStage['batchNorm'];
  /** Normalisations whose moving statistics the stage moves or measures anew. */
  readonly statisticsLayers: number;
  readonly microBatch: number;
  readonly globalBatch: number;
  readonly stepsPerEpoch: number;
  readonly epochsMax: number;
  readonly stepsMax: number;
  /** S: float32 bytes of one gradient. */
  readonly gradientBytes: number;
  /** (3N - 2) S: what all trainers together send and receive through the broker in one step. */
  readonly brokerBytesPerStep: number;
  /** Layers whose outputs are computed once per sample and view. */
  readonly boundary: readonly string[];
  readonly boundaryBytesPerSample: number;
  /** What the feature cache takes for it, all trainers together: the training set in its views, and validation. */
  readonly cacheBytes: number;
  /** Whether the pass of an earlier stage has stored them already. */
  readonly storedBefore: boolean;
  /** Estimate of one trainer's peak at trainers.min, where it hosts most shards. */
  readonly trainerBytesAtMin: number;
}

const floatBytes = 4;
/** A trainer before it has loaded a model: Node and the TensorFlow library, as measured. */
const processBytes = 400e6;
/** Vectors of one gradient's size that the exchange keeps: parts and sums, each for two steps. */
const exchangeVectors = 4;

export function planSummary(prepared: PreparedJob): PlanSummary {
  const { job, plan, origin, graph } = prepared;
  return {
    name: plan.name,
    jobDigest: plan.jobDigest,
    model: { source: job.model.source, origin, parameters: parametersOf(graph.layers) },
    data: { source: job.data.source, classes: plan.classes.length, samples: plan.samples, shards: plan.shards },
    ...oldTask(prepared),
    trainers: job.trainers.replicas,
    warnings: plan.warnings ?? [],
    stages: prepared.stages.map((stage) => stageSummary(prepared, stage)),
  };
}

function oldTask({ job, plan }: PreparedJob): Pick<PlanSummary, 'oldTask'> {
  if (!job.retention || !plan.retention) return {};
  const { source, maxDrop, onExceed } = job.retention;
  const samples = plan.samples.retention ?? 0;
  return { oldTask: { source, samples, classes: plan.retention.classes, maxDrop, onExceed } };
}

function stageSummary(
  prepared: PreparedJob,
  { stage, plan, trainable, layers, partition, statistics }: PreparedStage,
): StageSummary {
  const { job, graph } = prepared;
  const trainableParameters = trainable.reduce((sum, { shape }) => sum + elementsOf(shape), 0);
  const gradientBytes = trainableParameters * floatBytes;
  const trainers = job.trainers.replicas;
  const ranked = rankedSummary(prepared, stage);
  // What ranks the blocks differentiates all of them.
  const measured = selectTrainable(graph, withEveryBlock(stage, graph).select).tensors;
  const measuredBytes = measured.reduce((sum, { shape }) => sum + elementsOf(shape), 0) * floatBytes;
  return {
    name: stage.name,
    select: stage.select,
    trainableLayers: ranked ? sureLayers(graph, stage) : layers,
    trainableParameters,
    ...(ranked && { ranked }),
    frozenParameters: parametersOf(graph.layers) - trainableParameters,
    optimizer: stage.optimizer.kind,
    learningRate: stage.learningRate,
    batchNorm: stage.batchNorm,
    statisticsLayers: statistics.moved.entries.length + statistics.adapted.entries.length,
    microBatch: stage.microBatch,
    globalBatch: Math.min(stage.microBatch * job.data.shards, prepared.plan.samples.train),
    stepsPerEpoch: plan.stepsPerEpoch,
    epochsMax: epochsOf(plan),
    stepsMax: plan.steps,
    gradientBytes,
    brokerBytesPerStep: trainers === 1 ? 0 : (3 * trainers - 2) * gradientBytes,
    boundary: partition.boundary,
    boundaryBytesPerSample: partition.boundaryFloats * floatBytes,
    cacheBytes: prefixComputes(partition) ? cachedSamples(prepared) * partition.boundaryFloats * floatBytes : 0,
    storedBefore: isStoredBefore(
      stageCuts(
        graph,
        job.stages.map((one) => withEveryBlock(one, graph)),
      ),
      job.stages.indexOf(stage),
    ),
    trainerBytesAtMin: trainerBytes(prepared, { partition, gradientBytes: measuredBytes, stage }),
  };
}

function rankedSummary({ graph, job }: PreparedJob, stage: ResolvedStage): StageSummary['ranked'] {
  const blocks = rankedCount(stage.select);
  if (blocks === null) return undefined;
  const { tensors } = selectTrainable(graph, withBlocksBySize(stage, graph, 'smallest').select);
  const first = job.stages.findIndex(({ select }) => rankedCount(select) !== null);
  return {
    blocks,
    parametersMin: tensors.reduce((sum, { shape }) => sum + elementsOf(shape), 0),
    measuredAfter: job.stages[first - 1]?.name ?? '',
  };
}

function sureLayers(graph: Graph, { select }: ResolvedStage): readonly string[] {
  const sure = select.filter((pattern) => rankedCount([pattern]) === null);
  return sure.length > 0 ? selectTrainable(graph, sure).layers : [];
}

interface StageMemory {
  readonly partition: PreparedStage['partition'];
  readonly gradientBytes: number;
  readonly stage: PreparedStage['stage'];
}

/** Weights twice (engine, source), state and exchange vectors, activations of either part, and all features. */
function trainerBytes(
  { graph, job, plan }: PreparedJob,
  { partition, gradientBytes, stage: { microBatch, emaDecay } }: StageMemory,
): number {
  const hostedShards = Math.ceil(job.data.shards / job.trainers.min);
  const weights = 2 * floatBytes * parametersOf(graph.layers);
  const slots = 2;
  const averages = emaDecay === null ? 0 : 1;
  const state = gradientBytes * (1 + slots + averages + 2);
  const exchange = gradientBytes * (exchangeVectors + hostedShards);
  const prefix = blockSize * floatBytes * largestLive(graph, partition.prefix);
  const suffix = 2 * microBatch * floatBytes * outputsOf(graph, partition.suffix);
  const features = cachedSamples({ job, plan }) * partition.boundaryFloats * floatBytes;
  return processBytes + weights + state + exchange + Math.max(prefix, suffix) + features;
}

/** Rows of one level: a picture mixed with another comes once, and is not kept. */
function cachedSamples({ job, plan }: Pick<PreparedJob, 'job' | 'plan'>): number {
  return (mixesPixels(job) ? 0 : plan.samples.train * job.data.views) + plan.samples.validation;
}

/** Floats of one sample that are alive at once while the layers run in inference, freed after their last reader. */
function largestLive({ layers }: Graph, paths: readonly string[]): number {
  const wanted = new Set(paths);
  const lastReader = new Map<string, number>();
  for (const [index, { inputs }] of layers.entries()) for (const input of inputs) lastReader.set(input, index);
  const live = new Map<string, number>();
  let largest = 0;
  for (const [index, layer] of layers.entries()) {
    if (!wanted.has(layer.path)) continue;
    live.set(layer.path, floatsOf(layer));
    largest = Math.max(
      largest,
      [...live.values()].reduce((sum, floats) => sum + floats, 0),
    );
    for (const input of layer.inputs) if (lastReader.get(input) === index) live.delete(input);
  }
  return largest;
}

function outputsOf({ layers }: Graph, paths: readonly string[]): number {
  const wanted = new Set(paths);
  return layers.filter(({ path }) => wanted.has(path)).reduce((sum, layer) => sum + floatsOf(layer), 0);
}
