// From a job file to everything that training needs: the resolved job, its network with the seeded head, the data
// manifest, and each stage's size. Starts nothing and writes nothing, so `thaw plan` and `thaw validate` use it too.
// Every problem a user can cause is found here, with its place in the file.

import { blockSize } from '@thaw/common/data/block-size.ts';
import { evaluationPartCount } from '@thaw/common/data/evaluation-parts.ts';
import type { DataManifest } from '@thaw/common/data/manifest.ts';
import { shardSize } from '@thaw/common/data/shards.ts';
import type { S3Environment } from '@thaw/common/environment/s3-environment.ts';
import { tensorflowIsThere } from '@thaw/common/environment/tensorflow-addon.ts';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { jobDigest } from '@thaw/common/job/job-digest.ts';
import { type ParsedJob, parseJobFile } from '@thaw/common/job/parse.ts';
import { type JobFacts, type Overrides, resolveJob, resolveSplit } from '@thaw/common/job/resolve.ts';
import type { ResolvedJob, ResolvedStage } from '@thaw/common/job/resolved-job.ts';
import { jobFacts, stageFacts } from '@thaw/common/job/result-facts.ts';
import type { JobSpec } from '@thaw/common/job/schema/job.ts';
import { stageStatistics, statisticsNames } from '@thaw/common/model/batch-statistics.ts';
import type { Graph } from '@thaw/common/model/graph.ts';
import { initialHeadWeights, replaceHead } from '@thaw/common/model/head.ts';
import { partitionFor } from '@thaw/common/model/partition.ts';
import {
  rankableBlocks,
  rankedCount,
  requireRankable,
  withBlocksBySize,
  withEveryBlock,
} from '@thaw/common/model/ranked.ts';
import { selectTrainable } from '@thaw/common/model/select.ts';
import { stageStepsMax, stepsPerEpoch } from '@thaw/common/schedule/steps.ts';
import type { StagePlan } from '../core/job-plan.ts';
import { requireKerasExport } from '../export/keras/stock-layer.ts';
import { checkStatistics } from './check-statistics.ts';
import { type IndexedDataSet, indexDataSet } from './data-source/index-data-set.ts';
import type { MayFetch } from './fetching.ts';
import { dataPlace, headPlace, modelPlace, placed, retentionPlace, stagePlace } from './job-places.ts';
import { mixWarnings, requireCuts } from './mixing.ts';
import { modelInputSize } from './model-source/input-size.ts';
import { type ModelSource, openModelSource } from './model-source/open-model-source.ts';
import { rescalesItself } from './model-source/rescales-itself.ts';
import { type OldTask, openOldTask, withOldTask } from './old-task.ts';
import type { PreparedJob, PreparedStage } from './prepared-job.ts';

export interface PrepareOptions extends MayFetch {
  readonly jobText: string;
  /** Named in error messages. */
  readonly fileName: string;
  /** Relative `file:` sources start here. */
  readonly baseDir: string;
  /** Examples are written here, once. */
  readonly cacheDirectory: string;
  /** For s3: sources. */
  readonly s3?: S3Environment | undefined;
  readonly overrides?: Overrides;
  /** What engine auto means; looks for the addon of this checkout by default. */
  readonly hasTensorflow?: boolean;
}

/** Throws a ThawError that names the field, what was found and what would be right. */
export async function prepareJob(options: PrepareOptions): Promise<PreparedJob> {
  const parsed = parseJobFile(options.jobText, options.fileName);
  return placed(parsed, () => prepareParsed(parsed, options));
}

async function prepareParsed(parsed: ParsedJob, options: PrepareOptions): Promise<PreparedJob> {
  const { spec } = parsed.job;
  const { baseDir, cacheDirectory, s3, fetching, overrides = {}, hasTensorflow = tensorflowIsThere() } = options;
  const places = { baseDirectory: baseDir, cacheDirectory, fetching };
  const source = await placed(
    parsed,
    () =>
      openModelSource(spec.model.source, {
        ...places,
        s3,
        inputSize: wantedSize(spec),
        weights: spec.model.weights,
        seed: spec.train.seed,
      }),
    modelPlace,
  );
  const inputSize = modelInputSize(source.graph);
  const trunk = replaceHead(source.graph, { cut: spec.model.cut ?? source.defaultCut, head: [], inputSize });
  const data = await placed(
    parsed,
    () =>
      indexDataSet({ source: spec.data.source, format: formatOf(spec), split: resolveSplit(spec.data.split) }, places),
    dataPlace,
  );
  requireOneSplit(spec, data);
  const job = resolveJob(parsed, { ...factsOf(source, data, trunk), hasTensorflow }, overrides);
  const { cut, head, preprocessing } = job.model;
  const graph = await placed(
    parsed,
    () => replaceHead(source.graph, { cut, head, inputSize: preprocessing }),
    headPlace,
  );
  await placed(parsed, () => requireKerasExport(graph, job.output.formats));
  const oldTask = await placed(parsed, () => openOldTask(job, source, places), retentionPlace);
  return assemble({ parsed, job, graph, source, data: oldTask ? withOldTask(data, oldTask) : data, oldTask });
}

/** Fractions beside a column that names every sample's set would be ignored. */
function requireOneSplit({ data: { split } }: JobSpec, { dividedBy }: IndexedDataSet): void {
  if (dividedBy !== 'column' || split.train === undefined) return;
  throw new ThawError(
    'JobInvalid',
    'spec.data.split: found fractions, but the CSV has a column "split" that divides the samples; expected one of the two',
  );
}

/** Height and width where the job gives them; a model file may leave them open. */
function wantedSize({ model }: JobSpec): { height: number; width: number } | undefined {
  const { size, height = size, width = size } = model.input ?? {};
  return height === undefined || width === undefined ? undefined : { height, width };
}

/** Formats that are not built yet were refused with the file. */
function formatOf({ data }: JobSpec): 'imageFolder' | 'csv' | undefined {
  return data.format === 'csv' || data.format === 'imageFolder' ? data.format : undefined;
}

function factsOf(
  source: ModelSource,
  { manifest, format }: IndexedDataSet,
  trunk: Graph,
): Omit<JobFacts, 'hasTensorflow'> {
  return {
    classes: { names: manifest.classes, counts: trainingCounts(manifest) },
    defaultCut: source.defaultCut,
    inputSize: modelInputSize(source.graph),
    preprocessing: source.preprocessing,
    modelName: source.modelName,
    rescales: rescalesItself(source.graph),
    blocks: rankableBlocks(trunk).length,
    format,
  };
}

function trainingCounts({ classes, sets }: DataManifest): number[] {
  const counts = classes.map(() => 0);
  for (const label of sets.train.labels) counts[label] = (counts[label] ?? 0) + 1;
  return counts;
}

interface Parts {
  readonly parsed: ParsedJob;
  readonly job: ResolvedJob;
  readonly graph: Graph;
  readonly source: ModelSource;
  readonly data: IndexedDataSet;
  readonly oldTask: OldTask | null;
}

async function assemble({
  parsed,
  job,
  graph,
  source,
  data: { manifest, root, warnings: ofData },
  oldTask,
}: Parts): Promise<PreparedJob> {
  const digest = jobDigest(job, { model: source.digest, data: manifest.digest });
  const names = new Set(graph.layers.flatMap(({ weights }) => weights.map(({ name }) => name)));
  const backbone = [...source.weights].filter(([name]) => names.has(name));
  const stages: PreparedStage[] = [];
  for (const index of job.stages.keys()) {
    stages.push(await placed(parsed, () => prepareStage(graph, job, { index, manifest }), stagePlace(index)));
  }
  requireCuts(job, graph, stages);
  const samples = sampleCounts(manifest);
  const ofJob = [...engineWarnings(parsed, job), ...stepWarnings(job, samples.train), ...mixWarnings(job)];
  const ofStages = stages.flatMap((stage) => stage.warnings);
  const warnings = [...(source.warnings ?? []), ...ofData, ...ofJob, ...ofStages];
  return {
    job,
    jobDigest: digest,
    modelDigest: source.digest,
    origin: source.origin,
    graph,
    ...(oldTask && { oldGraph: oldTask.graph }),
    weights: new Map([...backbone, ...initialHeadWeights(graph, job.train.seed), ...(oldTask?.weights ?? [])]),
    manifest,
    dataRoot: root,
    stages,
    plan: {
      name: job.name,
      jobDigest: digest,
      facts: jobFacts(job),
      dataDigest: manifest.digest,
      shards: job.data.shards,
      classes: manifest.classes,
      replicas: job.trainers.replicas,
      trainersMin: job.trainers.min,
      trainersMax: job.trainers.max,
      stages: stages.map(({ plan }) => plan),
      samples,
      parts: {
        validation: evaluationPartCount(samples.validation, blockSize),
        test: evaluationPartCount(samples.test, blockSize),
        ...(oldTask && { retention: evaluationPartCount(oldTask.columns.ids.length, blockSize) }),
      },
      ...(oldTask && { retention: oldTask.plan }),
      maxBadSamples: job.data.maxBadSamples,
      weights: job.output.weights,
      snapshotSeconds: job.snapshot.everySeconds,
      ...(job.output.calibrate !== 'none' && { calibrate: job.output.calibrate }),
      ...(warnings.length > 0 && { warnings }),
    },
  };
}

interface StageOptions {
  readonly index: number;
  readonly manifest: DataManifest;
}

function prepareStage(graph: Graph, job: ResolvedJob, options: StageOptions): PreparedStage {
  const stage = job.stages[options.index] as ResolvedStage;
  requireRankable(graph, stage.select);
  const { tensors, layers } = selectTrainable(graph, withBlocksBySize(stage, graph, 'largest').select);
  // Until blocks are ranked, what holds for all of them is sure.
  const deepest = withEveryBlock(stage, graph);
  const statistics = stageStatistics(graph, deepest);
  const warnings = checkStatistics({
    stage,
    statistics,
    tensors: tensors.length,
    shards: job.data.shards,
    trainSamples: options.manifest.sets.train.ids.length,
    views: job.data.views,
  });
  const changing = selectTrainable(graph, deepest.select).tensors.map(({ name }) => name);
  const partition = partitionFor(graph, [...changing, ...statisticsNames(statistics.moved)]);
  return { stage, plan: stagePlan(job, stage, options), trainable: tensors, layers, statistics, partition, warnings };
}

function stagePlan(job: ResolvedJob, stage: ResolvedStage, { index, manifest }: StageOptions): StagePlan {
  const { data, output, stages } = job;
  const largestShard = shardSize(manifest.sets.train.ids.length, data.shards, 0);
  const perEpoch = stepsPerEpoch([largestShard], stage.microBatch);
  const { name, advanceOn, optimizerState, onEnter } = stage;
  const ranked = rankedCount(stage.select);
  const isLast = index === stages.length - 1;
  // The result is the last stage's best by output.metric; an earlier stage is judged by what it advances on.
  const metric = isLast ? output.metric : (advanceOn?.metric ?? output.metric);
  return {
    name,
    facts: stageFacts(stage, metric),
    stepsPerEpoch: perEpoch,
    steps: stageStepsMax(stage, perEpoch),
    advanceOn,
    metric,
    optimizerState,
    onEnter,
    ...(ranked !== null && { ranked }),
  };
}

/** Of processor time, by `npm run bench -- engines`. */
const wasmSlowness = '1.3 to 11 times';

function engineWarnings(parsed: ParsedJob, { trainers }: ResolvedJob): string[] {
  if (trainers.engine !== 'wasm') return [];
  const isOwnWish = parsed.job.spec.trainers.engine === 'wasm';
  const why = isOwnWish ? '' : ', which auto became because the TensorFlow engine is not set up on this machine';
  return [
    `engine wasm${why}: expect ${wasmSlowness} the time that TensorFlow takes on a processor, and weights that differ ` +
      "from TensorFlow's in the last bits",
  ];
}

/** A step that wants more samples than there are is allowed, and hardly meant. */
function stepWarnings({ stages, data }: ResolvedJob, trainSamples: number): string[] {
  const wide = stages.filter(({ microBatch }) => microBatch * data.shards > trainSamples);
  if (wide.length === 0) return [];
  const names = wide.map(({ name }) => `"${name}"`).join(', ');
  const wanted = Math.max(...wide.map(({ microBatch }) => microBatch)) * data.shards;
  return [
    `data.shards x microBatch asks for ${wanted} samples a step and there are ${trainSamples}, so an epoch of ${names} is ` +
      'one step; for more steps lower train.microBatch or data.shards',
  ];
}

function sampleCounts({ sets }: DataManifest): PreparedJob['plan']['samples'] {
  const { train, validation, test, retention } = sets;
  return {
    train: train.ids.length,
    validation: validation.ids.length,
    test: test.ids.length,
    ...(retention && { retention: retention.ids.length }),
  };
}
