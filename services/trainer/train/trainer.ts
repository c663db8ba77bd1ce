// The life of a trainer: take the job, prove the engine, then carry out one directive after the other and report.
// It decides nothing: what to train, evaluate, store or restore is always the coordinator's word.

import { blockSize } from '@thaw/common/data/block-size.ts';
import { evaluationParts, partsOwnedBy } from '@thaw/common/data/evaluation-parts.ts';
import { columnsOf, type SetName } from '@thaw/common/data/manifest.ts';
import { invariant } from '@thaw/common/errors/thaw-error.ts';
import type { Logger } from '@thaw/common/log/logger.ts';
import type { TensorLayout } from '@thaw/common/model/tensor-layout.ts';
import type { Directive__Output } from '@thaw/proto/gen/thaw/v1/Directive.ts';
import type { EpochSums } from '@thaw/proto/gen/thaw/v1/EpochSums.ts';
import type { Evaluate__Output } from '@thaw/proto/gen/thaw/v1/Evaluate.ts';
import type { FeatureWork } from '@thaw/proto/gen/thaw/v1/FeatureWork.ts';
import type { RankBlocks__Output } from '@thaw/proto/gen/thaw/v1/RankBlocks.ts';
import type { Report } from '@thaw/proto/gen/thaw/v1/Report.ts';
import type { StoreState__Output } from '@thaw/proto/gen/thaw/v1/StoreState.ts';
import type { Train__Output } from '@thaw/proto/gen/thaw/v1/Train.ts';
import { sourceState } from '@thaw/proto/source-state.ts';
import {
  type FeatureCounts,
  noFeatureCounts,
  samplesComputed,
  takeCounts,
  takeSavings,
} from '../cache/feature-counts.ts';
import type { FeatureStore } from '../cache/feature-store.ts';
import { openFeatureStore } from '../cache/open-store.ts';
import type { LoadBlock } from '../cache/pixel-level.ts';
import { collectiveClient } from '../collective/client.ts';
import type { Collective, Generation } from '../collective/collective.ts';
import type { CommsLink } from '../comms/comms-link.ts';
import { Superseded } from '../comms/inbox.ts';
import { createPixelSource } from '../data/pixel-source.ts';
import { createEngine } from '../engine/create-engine.ts';
import type { Engine, EngineModel } from '../engine/engine.ts';
import { adaptStatistics } from './adapt-statistics.ts';
import { hostedShards, trainEpoch } from './epoch.ts';
import { evaluateParts } from './evaluation.ts';
import { fetchJob, type JobContext } from './job-context.ts';
import { oldTaskOf } from './old-task.ts';
import { runProbe } from './probe.ts';
import { measureBlocks } from './rank-blocks.ts';
import { createSnapshots, type Snapshots } from './snapshots.ts';
import { stageFeatures } from './stage-features.ts';
import { createStages, type StageRuntime, type Stages, tensorSetOf } from './stage-runtime.ts';

export interface TrainerOptions {
  readonly incarnation: string;
  readonly featureBytes: number;
  readonly cacheDirectory: string;
  readonly log: Logger;
}

interface Trainer {
  readonly options: TrainerOptions;
  readonly link: CommsLink;
  readonly context: JobContext;
  readonly engine: Engine;
  readonly model: EngineModel;
  readonly stages: Stages;
  /** Decodes. */
  readonly loadBlock: LoadBlock;
  readonly store: FeatureStore;
  readonly counts: FeatureCounts;
  /** Bytes on disk that were reported already. */
  readonly written: { bytes: number };
  readonly collective: Collective;
  readonly snapshots: Snapshots;
  /** Where the state that it holds stands. */
  position: Position;
  /** What the collective is open for: a generation, a stage and a tensor set; empty while it is not. */
  opened: string;
}

/** The last step that was applied, and the sums of its epoch up to it; step 0 without any where nothing was trained. */
interface Position {
  readonly appliedStep: number;
  readonly sums: EpochSums | null;
}

const nowhere: Position = { appliedStep: 0, sums: null };

type Result = Omit<Report, 'term' | 'revision'>;

/** Resolves with the outcome that the coordinator gave at the end. */
export async function runTrainer(link: CommsLink, options: TrainerOptions): Promise<string> {
  const trainer = await prepare(link, options);
  for (;;) {
    const directive = await link.nextDirective();
    try {
      const result = await carryOut(trainer, directive);
      if (result) link.send({ report: { term: directive.term, revision: directive.revision, ...result } });
      if (directive.finish) {
        await trainer.collective.close();
        return directive.finish.outcome;
      }
      link.board.enter('idle');
    } catch (thrown) {
      if (!(thrown instanceof Superseded)) throw thrown;
      options.log.info({ revision: directive.revision }, 'the directive was superseded');
    }
  }
}

async function prepare(link: CommsLink, options: TrainerOptions): Promise<Trainer> {
  link.board.enter('loading');
  const welcome = await link.welcome();
  const context = await fetchJob(link, welcome);
  const { job, graph, manifest } = context;
  const engine = await createEngine({
    kind: job.trainers.engine,
    threads: job.trainers.threads,
    gpus: job.trainers.gpus,
  });
  const model = engine.loadModel(graph, context.source, job.model.preprocessing);
  const pixels = createPixelSource({
    manifest,
    root: context.dataRoot,
    preprocessing: job.model.preprocessing,
    augment: job.data.augment,
    seed: job.train.seed,
    blockSize,
    onBad(samples) {
      for (const { set, id, reason } of samples) {
        options.log.warn({ set, id, reason }, 'bad sample');
        link.observe({ kind: 'badSample', set });
      }
      link.send({ badSamples: { samples: samples.map(({ set, id, reason }) => ({ split: set, id, reason })) } });
    },
  });
  const loadBlock = pixels.loadBlock.bind(pixels);
  const probe = await runProbe({ model, context, loadBlock, tick: () => link.board.tick() });
  const collective = collectiveClient(link.startCollective(welcome));
  const { featureBytes, cacheDirectory, log } = options;
  const counts = noFeatureCounts();
  const store = openFeatureStore({ context, memoryBytes: featureBytes, cacheDirectory, counts, log });
  const { engineClass } = engine;
  const features = stageFeatures({ context, model, engineClass, store, counts, loadBlock, board: link.board, log });
  const stages = createStages({ context, model, link, features, log });
  const { metricsPort } = link;
  const { digest: probeDigest, stageDigests: stageProbeDigests } = probe;
  log.info({ probeDigest, engineClass, metricsPort }, 'ready');
  link.send({ ready: { engineClass, probeDigest, stageProbeDigests: [...stageProbeDigests], metricsPort } });
  const written = { bytes: 0 };
  const snapshots = createSnapshots(link, stages);
  return {
    options,
    link,
    context,
    engine,
    model,
    stages,
    loadBlock,
    store,
    counts,
    written,
    collective,
    snapshots,
    position: nowhere,
    opened: '',
  };
}

async function carryOut(trainer: Trainer, directive: Directive__Output): Promise<Result | null> {
  trainer.stages.rank(directive.rankedBlocks);
  if (directive.train) {
    const trained = await train(trainer, directive, directive.train);
    return { trained, features: featureWork(trainer) };
  }
  if (directive.evaluate) {
    const evaluated = await evaluate(trainer, directive, directive.evaluate);
    return { evaluated, features: featureWork(trainer) };
  }
  if (directive.store) return { stored: await store(trainer, directive, directive.store) };
  if (directive.rank) return { ranked: await rank(trainer, directive, directive.rank) };
  if (directive.halt) return { halted: { ...trainer.position } };
  if (directive.finish) return { finished: {} };
  return null;
}

async function train(trainer: Trainer, directive: Directive__Output, train: Train__Output) {
  const { link, context, stages, collective, model, snapshots } = trainer;
  const { generation, self } = placeIn(trainer, directive);
  if (train.restoring.length === 0 || train.restoring.includes(self)) await restore(trainer, train.restoreDigest);
  trainer.position = { appliedStep: train.firstStep - 1, sums: train.soFar };
  const { term, revision } = directive;
  const runtime = stages.enter(train.stage, { resetOptimizer: train.resetOptimizer, revision });
  await openCollective(trainer, runtime, { generation, self, stage: train.stage });
  const epoch = {
    ...{ directive: train, term, revision, generation, self, context, runtime, collective, link, snapshots },
    applied(appliedStep: number, sums: EpochSums) {
      trainer.position = { appliedStep, sums };
    },
  };
  if (train.firstStep === train.stageFirstStep && runtime.statistics.adapted.length > 0) {
    epoch.runtime = stages.adapt(await adaptStatistics({ ...epoch, model }));
  }
  const { seconds, reducedBytes, ...sums } = await trainEpoch(epoch);
  return {
    ...sums,
    appliedStep: train.lastStep,
    stateDigest: stages.digest(),
    frozenIntact: stages.assertFrozenIntact(),
    seconds: { ...seconds, reducedBytes },
  };
}

async function evaluate(trainer: Trainer, directive: Directive__Output, work: Evaluate__Output) {
  const { link, context, stages } = trainer;
  await restore(trainer, work.restoreDigest);
  const runtime = stages.enter(work.stage, { resetOptimizer: false, revision: directive.revision });
  const { self } = placeIn(trainer, directive);
  const set = work.split as SetName;
  const { ids, labels } = columnsOf(context.manifest, set);
  const how =
    set === 'retention' ? oldTaskOf(runtime, context) : { ...runtime, classes: context.manifest.classes.length };
  const all = evaluationParts(ids.length, blockSize);
  invariant(all.length === work.partOwners.length, `${all.length} evaluation parts, ${work.partOwners.length} owners`);
  const parts = {
    set,
    parts: partsOwnedBy(self, work.partOwners, all),
    labels,
    classes: how.classes,
    temperatures: work.temperatures,
    blockSize,
    program: how.program,
    features: how.features,
    board: link.board,
    checkpoint: () => checkpoint(link, directive.revision),
  };
  const evaluated = await stages.withAverages(() => evaluateParts(parts));
  return evaluated;
}

async function rank(trainer: Trainer, directive: Directive__Output, work: RankBlocks__Output) {
  const { link, context, model, loadBlock, collective, stages } = trainer;
  await restore(trainer, work.restoreDigest);
  const { revision } = directive;
  const { stage, step } = work;
  const { generation, self } = placeIn(trainer, directive);
  const hosted = hostedShards({ generation, self });
  const open = (layout: TensorLayout): Promise<void> =>
    openCollective(trainer, { layout, tensorSet: tensorSetOf(layout) }, { generation, self, stage });
  return stages.withAverages(() =>
    measureBlocks({ step, revision, hosted, context, model, loadBlock, collective, open, link }),
  );
}

async function store(trainer: Trainer, directive: Directive__Output, work: StoreState__Output) {
  if (placeIn(trainer, directive).self !== work.member) return { digest: '', bytes: 0 };
  return trainer.link.store(trainer.stages.encode(work.scheduleState));
}

/** What is restored stands nowhere until it is trained. */
async function restore(trainer: Trainer, digest: string): Promise<void> {
  if (digest === '') return;
  const { link, stages } = trainer;
  trainer.position = nowhere;
  link.board.enter('loading');
  if (digest === sourceState) stages.restoreSource();
  else stages.restore(await link.fetch(digest), digest);
}

/** Lets messages and decoded samples in, then checks that the work is still wanted. */
async function checkpoint(link: CommsLink, revision: number): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  link.check(revision);
}

function placeIn({ options }: Trainer, directive: Directive__Output): { generation: Generation; self: number } {
  const info = directive.generation;
  invariant(info !== null, `directive ${directive.revision} names no generation`);
  const self = info.members.findIndex(({ incarnation }) => incarnation === options.incarnation);
  invariant(self >= 0, `this trainer is not a member of generation ${info.number}`);
  return { generation: info, self };
}

/** Opens the collective for the generation, the stage and its tensors, unless it is open for just these. */
async function openCollective(
  trainer: Trainer,
  { layout, tensorSet }: Pick<StageRuntime, 'layout' | 'tensorSet'>,
  { generation, self, stage }: { generation: Generation; self: number; stage: number },
): Promise<void> {
  const wanted = `${generation.number}/${stage}/${tensorSet}`;
  if (trainer.opened === wanted) return;
  trainer.opened = '';
  const { shards } = trainer.context.job.data;
  await trainer.link.interruptible(trainer.collective.open({ generation, stage, self, layout, tensorSet, shards }));
  trainer.opened = wanted;
}

/** What the cache did since it was last asked, for the metrics and the coordinator. */
function featureWork({ link, engine, store, counts, written }: Trainer): FeatureWork {
  const taken = takeCounts(counts);
  const { memoryHits, diskHits, misses, corrupt, decoded, pixelHits } = taken;
  const hits = { memory: memoryHits, disk: diskHits, pixels: pixelHits };
  const bytes = { memory: store.memoryBytes, written: store.disk?.bytesWritten ?? 0 };
  link.observe({ kind: 'features', computed: [...taken.computed], hits, misses, decoded, corrupt, bytes });
  link.observe({ kind: 'engine', ...engine.memory() });
  const writtenBytes = bytes.written - written.bytes;
  written.bytes = bytes.written;
  const saved = takeSavings(counts);
  return {
    computed: samplesComputed(taken),
    read: saved.samples,
    misses,
    corrupt,
    memoryBytes: bytes.memory,
    writtenBytes,
    savedSeconds: saved.seconds,
    proved: taken.proved,
    choices: [...taken.choices],
    memoryHits,
    diskHits,
  };
}
