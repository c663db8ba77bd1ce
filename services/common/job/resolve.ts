// From a checked job file and the facts of its model and data to the resolved job that everything else works from.

import { assertNever, ThawError } from '../errors/thaw-error.ts';
import { bytesOfQuantity } from '../text/byte-quantity.ts';
import { outputActivation, resolveClassWeights, resolveLoss, type TrainingClasses } from './loss.ts';
import type { ParsedJob } from './parse.ts';
import { resolvePreprocessing } from './preprocessing.ts';
import { presetStages } from './presets.ts';
import type {
  AdvanceRule,
  Augmentation,
  DataFormat,
  EngineKind,
  HeadLayer,
  Metric,
  Optimizer,
  ResolvedData,
  ResolvedJob,
  ResolvedModel,
  ResolvedRetention,
  ResolvedSplit,
  ResolvedStage,
  SourcePreprocessing,
} from './resolved-job.ts';
import { apiVersion, type JobFile, type JobSpec } from './schema/job.ts';
import { stageSchema } from './schema/stage.ts';

/** What only the model, the data and the coordinator's machine tell. */
export interface JobFacts {
  readonly classes: TrainingClasses;
  /** Name of the last layer before the model's classifier. */
  readonly defaultCut: string;
  /** Input height and width that the model was made for. */
  readonly inputSize: { readonly height: number; readonly width: number };
  /** How the source says that it wants its pixels. */
  readonly preprocessing?: SourcePreprocessing | undefined;
  /** What the model file calls its network; says how the pixels were most likely prepared. */
  readonly modelName?: string | undefined;
  /** The network starts by rescaling its pixels. */
  readonly rescales?: boolean;
  /** Number of backbone blocks with something to train, for presets. */
  readonly blocks: number;
  readonly format: DataFormat;
  /** TensorFlow's addon is there: what engine auto means. */
  readonly hasTensorflow: boolean;
}

export interface Overrides {
  /** `--trainers`: replaces replicas and widens min and max; the result does not depend on it. */
  readonly trainers?: number | undefined;
}

/** Throws JobInvalid: missing preprocessing, more trainers than shards, threads that the engine does not have. */
export function resolveJob(parsed: ParsedJob, facts: JobFacts, overrides: Overrides = {}): ResolvedJob {
  const { metadata, spec } = parsed.job;
  const stages = resolveStages(spec, facts);
  return {
    apiVersion,
    name: metadata.name,
    task: 'imageClassification',
    model: resolveModel(parsed, facts),
    data: resolveData(spec, facts.format),
    train: {
      seed: spec.train.seed,
      microBatch: spec.train.microBatch,
      loss: resolveLoss(spec.train),
      classWeights: resolveClassWeights(spec.train, facts.classes),
      mixup: spec.train.mixup ?? null,
      cutmix: spec.train.cutmix ?? null,
      gradientClip: spec.train.gradientClip ?? null,
      l2: spec.train.l2,
      onNonFinite: spec.train.onNonFinite,
    },
    stages,
    trainers: resolveTrainers(parsed, facts, overrides),
    output: {
      uri: spec.output.uri ?? `file:out/${metadata.name}`,
      formats: spec.output.formats,
      weights: spec.output.weights,
      calibrate: spec.output.calibrate,
      metric: spec.output.metric ?? stages.at(-1)?.advanceOn?.metric ?? 'loss',
    },
    snapshot: spec.snapshot,
    ...(spec.retention && { retention: resolveRetention(spec.retention) }),
  };
}

function resolveRetention(retention: NonNullable<JobSpec['retention']>): ResolvedRetention {
  const { source, maxDrop, onExceed } = retention;
  return { source, maxDrop: maxDrop ?? null, onExceed: onExceed ?? 'stop' };
}

function resolveModel(parsed: ParsedJob, facts: JobFacts): ResolvedModel {
  const { model, train } = parsed.job.spec;
  const units = facts.classes.names.length;
  const activation = outputActivation(resolveLoss(train));
  const output: HeadLayer = { kind: 'dense', units, activation, useBias: true };
  return {
    source: model.source,
    ...(model.weights && { weights: model.weights.source ?? null }),
    preprocessing: resolvePreprocessing(parsed, facts),
    cut: model.cut ?? facts.defaultCut,
    head: [...model.head.map(headLayer), output],
  };
}

function headLayer(choice: JobSpec['model']['head'][number]): HeadLayer {
  if (choice.dense) return { kind: 'dense', ...choice.dense };
  if (choice.dropout) return { kind: 'dropout', ...choice.dropout };
  if (choice.batchNormalization) return { kind: 'batchNormalization', ...choice.batchNormalization };
  if (choice.activation) return { kind: 'activation', activation: choice.activation.function };
  if (choice.flatten) return { kind: 'flatten' };
  return choice.globalMaxPooling ? { kind: 'globalMaxPooling' } : { kind: 'globalAveragePooling' };
}

function resolveData({ data }: JobSpec, format: DataFormat): ResolvedData {
  const { source, shards, views, maxBadSamples } = data;
  return {
    source,
    format,
    split: resolveSplit(data.split),
    shards,
    augment: data.augment.map(augmentation),
    views,
    maxBadSamples,
  };
}

export function resolveSplit(split: JobFile['spec']['data']['split']): ResolvedSplit {
  if (split.folders) return { kind: 'explicit', ...split.folders };
  const { train = 0.8, validation = 0.1, test = 0.1, group } = split;
  return { kind: 'hash', train, validation, test, ...(group !== undefined && { group }) };
}

function augmentation(choice: JobSpec['data']['augment'][number]): Augmentation {
  if (choice.flip) return { kind: 'flip', ...choice.flip };
  if (choice.rotate) return { kind: 'rotate', ...choice.rotate };
  if (choice.brightness) return { kind: 'brightness', ...choice.brightness };
  if (choice.contrast) return { kind: 'contrast', ...choice.contrast };
  if (choice.randAugment) return { kind: 'randAugment', ...choice.randAugment };
  const { area = [0.8, 1], aspect = [0.75, 1.3333] } = choice.crop ?? {};
  return {
    kind: 'crop',
    area: [area[0] as number, area[1] as number],
    aspect: [aspect[0] as number, aspect[1] as number],
  };
}

function resolveStages({ train }: JobSpec, facts: JobFacts): ResolvedStage[] {
  const { kind, learningRate } = resolveOptimizer(train.optimizer);
  const { preset, epochs, stages } = train.schedule;
  const expanded = preset
    ? presetStages(preset, { epochs, learningRate, blocks: facts.blocks }).map((stage) => stageSchema.parse(stage))
    : (stages ?? []);
  return expanded.map((stage) => ({
    name: stage.name,
    select: stage.trainable,
    length:
      stage.steps === undefined ? { kind: 'epochs', epochs: stage.epochs ?? 1 } : { kind: 'steps', steps: stage.steps },
    advanceOn: stage.advanceOn ? advanceRule(stage.advanceOn) : null,
    optimizer: kind,
    learningRate: stage.learningRate ?? learningRate,
    warmupSteps: stage.warmup,
    curve: stage.curve,
    layerDecay: stage.layerDecay,
    batchNorm: stage.batchNorm,
    optimizerState: stage.optimizerState,
    onEnter: stage.onEnter,
    l2sp: stage.l2sp,
    microBatch: stage.microBatch ?? train.microBatch,
    // A decay of 0 keeps nothing of the average: off.
    emaDecay: (stage.ema ?? train.ema?.decay ?? 0) || null,
  }));
}

function advanceRule(rule: {
  metric: Metric;
  mode?: 'min' | 'max' | undefined;
  patience: number;
  minDelta: number;
}): AdvanceRule {
  return { ...rule, mode: rule.mode ?? (rule.metric === 'loss' ? 'min' : 'max') };
}

function resolveOptimizer(choice: JobSpec['train']['optimizer']): { kind: Optimizer; learningRate: number } {
  const [name] = Object.keys(choice) as (keyof typeof choice)[];
  switch (name) {
    case 'sgd':
      return split({ kind: 'sgd' }, choice.sgd);
    case 'momentum':
    case 'adam':
    case 'adamw':
    case 'rmsprop':
      return split({ kind: name }, choice[name]);
    case undefined:
      throw new ThawError('Internal', 'an optimizer without a key passed the schema');
    default:
      return assertNever(name, 'optimizer');
  }
}

/** Separates the rate, which belongs to stages, from the optimizer's own numbers. */
function split(kind: { kind: Optimizer['kind'] }, options: ({ learningRate: number } & object) | undefined) {
  const { learningRate = 0, ...rest } = options ?? {};
  return { kind: { ...kind, ...rest } as Optimizer, learningRate };
}

function resolveCache({ memory, disk }: NonNullable<ParsedJob['job']['spec']['trainers']['cache']>) {
  return {
    ...(memory !== undefined && { memoryBytes: bytesOfQuantity(memory) }),
    ...(disk !== undefined && { diskBytes: bytesOfQuantity(disk) }),
  };
}

function resolveTrainers(parsed: ParsedJob, facts: JobFacts, { trainers: wanted }: Overrides): ResolvedJob['trainers'] {
  const { trainers, data } = parsed.job.spec;
  const replicas = wanted ?? trainers.replicas;
  if (replicas > data.shards) {
    throw new ThawError(
      'JobInvalid',
      `--trainers: found ${replicas} trainers for ${data.shards} shards; expected at most data.shards (${parsed.where(['spec', 'data', 'shards'])}), because a trainer computes whole shards`,
    );
  }
  return {
    replicas,
    min: Math.min(trainers.min, replicas),
    max: Math.max(trainers.max ?? data.shards, replicas),
    threads: trainers.threads,
    engine: resolveEngine(parsed, facts),
    gpus: trainers.gpus,
    ...(trainers.cache && { cache: resolveCache(trainers.cache) }),
  };
}

/** One engine for the whole job, decided here once, because it decides the bits. A GPU is TensorFlow's alone. */
function resolveEngine(parsed: ParsedJob, { hasTensorflow }: JobFacts): EngineKind {
  const { engine, threads, gpus } = parsed.job.spec.trainers;
  if (engine !== 'auto') return engine;
  if (hasTensorflow || gpus > 0) return 'tensorflow';
  if (threads === 1) return 'wasm';
  const place = parsed.where(['spec', 'trainers', 'threads']);
  throw new ThawError(
    'JobInvalid',
    `${place}: found ${threads} with engine auto, which is wasm here, because TensorFlow is not ` +
      'set up, and computes on one thread; expected 1',
  );
}
