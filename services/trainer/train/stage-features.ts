// The feature source of one stage: which levels it can start from, which it stores for the stages to come, and the
// programs between them. Levels are known by their keys, so nothing here has to remember what was trained since.

import { blockSize } from '@thaw/common/data/block-size.ts';
import type { ResolvedStage } from '@thaw/common/job/resolved-job.ts';
import type { Logger } from '@thaw/common/log/logger.ts';
import {
  boundariesToCome,
  isOnTheWay,
  pixelsServeAgain,
  prefixComputes,
  type StageCut,
  sameBoundary,
  stageCuts,
} from '@thaw/common/model/feature-levels.ts';
import type { Graph, Partition } from '@thaw/common/model/graph.ts';
import { withEveryBlock } from '@thaw/common/model/ranked.ts';
import type { FeatureCounts } from '../cache/feature-counts.ts';
import { type FeatureSource, type FeatureSourceOptions, featureSource, type Way } from '../cache/feature-source.ts';
import type { FeatureStore } from '../cache/feature-store.ts';
import type { Level } from '../cache/level.ts';
import { cachedPixels, type LoadBlock } from '../cache/pixel-level.ts';
import { pixelKey, prefixKey, weightDigests } from '../cache/prefix-key.ts';
import { choiceText } from '../cache/proof.ts';
import type { ProgressBoard } from '../comms/progress-board.ts';
import { decoderVersion } from '../data/decode-image.ts';
import type { EngineClass, EngineModel, PrefixProgram, StageProgram } from '../engine/engine.ts';
import type { JobContext } from './job-context.ts';

export interface FeatureOptions {
  readonly context: JobContext;
  readonly model: EngineModel;
  readonly engineClass: EngineClass;
  readonly store: FeatureStore;
  readonly counts: FeatureCounts;
  /** Decodes. */
  readonly loadBlock: LoadBlock;
  readonly board: ProgressBoard;
  readonly log: Pick<Logger, 'info'>;
}

export interface StageFeatures {
  readonly source: FeatureSource;
  /** For the old task's program, where there is one. */
  readonly oldTask: FeatureSource | null;
  /** Pictures as the source reads them, for what mixes them. */
  readonly loadBlock: LoadBlock;
  /** Frees the programs; what the store holds stays. */
  dispose(): void;
}

type Callbacks = Required<Pick<FeatureSourceOptions, 'checkpoint' | 'onFull'>>;

export interface StageFeaturesFactory {
  open(place: StagePlace, programs: StagePrograms, callbacks: Callbacks): StageFeatures;
}

/** A stage of the schedule as it is known by now. */
export interface StagePlace {
  readonly index: number;
  readonly stages: readonly ResolvedStage[];
}

export interface StagePrograms {
  readonly program: StageProgram;
  /** Measures the old task; null without retention. */
  readonly oldTask: StageProgram | null;
}

interface LevelOf {
  readonly partition: Partition;
  readonly level: Level;
}

export function stageFeatures(options: FeatureOptions): StageFeaturesFactory {
  const { context, model, engineClass, store } = options;
  const { graph, job } = context;
  const { preprocessing } = job.model;
  const pixels: Level = {
    key: pixelKey(preprocessing, `${decoderVersion()} [${engineClass.cpuFeatures}]`),
    name: 'pixels',
    rowBytes: preprocessing.height * preprocessing.width * 3,
  };
  const loadBlock = cachedPixels({ ...options, level: pixels, blockSize });

  /** A level for each boundary of the schedule, by the weights at hand. */
  const levelsNow = (cuts: readonly StageCut[]): LevelOf[] => {
    return levelsAt(graph, distinct(cuts.map(({ partition }) => partition)));
  };

  const levelsAt = (network: Graph, wanted: readonly Partition[]): LevelOf[] => {
    const partitions = wanted.filter(prefixComputes);
    const inPrefix = new Set(partitions.flatMap(({ prefix }) => prefix));
    const names = network.layers.filter(({ path }) => inPrefix.has(path)).flatMap(({ weights }) => weights);
    const digest = weightDigests(model.readWeights(names.map(({ name }) => name)));
    return partitions.map((partition) => {
      const key = prefixKey({ graph: network, preprocessing, engineClass, blockSize }, partition, digest);
      const rowBytes = partition.boundaryFloats * Float32Array.BYTES_PER_ELEMENT;
      return { partition, level: { key, name: partition.boundary.join(' + '), rowBytes } };
    });
  };

  return {
    open({ index, stages }, { program, oldTask }, callbacks) {
      // Where blocks are not ranked yet, a stage may begin at the pixels: no boundary is foreseen that might not be one.
      const cuts = stageCuts(
        graph,
        stages.map((stage) => withEveryBlock(stage, graph)),
      );
      const levels = levelsNow(cuts);
      const [old] = oldTask && context.oldGraph ? levelsAt(context.oldGraph, [oldTask.partition]) : [];
      store.retain([...levels, ...(old ? [old] : [])].map(({ level }) => level).concat(pixels));
      const opened = waysTo(program, { model, levels, toCome: boundariesToCome(cuts, index) });
      const source = featureSource({
        ...options,
        ...callbacks,
        blockSize,
        loadBlock,
        level: levels.find(({ partition }) => sameBoundary(partition, program.partition))?.level ?? null,
        boundaryFloats: program.partition.boundaryFloats,
        ways: opened.ways,
        pixelLevel: pixelsServeAgain(cuts, index) ? pixels : null,
        onChoice: (choice) => options.log.info({ level: choice.level }, choiceText(choice)),
      });
      // Always from pixels: the stage's own boundaries lie in another network.
      const ofOldTask = (one: StageProgram): FeatureSource =>
        featureSource({
          ...options,
          ...callbacks,
          blockSize,
          loadBlock,
          level: old?.level ?? null,
          boundaryFloats: one.partition.boundaryFloats,
          ways: [{ from: null, passes: [], run: (input) => [one.features(input)] }],
          pixelLevel: null,
        });
      return { source, oldTask: oldTask && ofOldTask(oldTask), loadBlock, dispose: opened.dispose };
    },
  };
}

function distinct(partitions: readonly Partition[]): Partition[] {
  return partitions.filter((one, i) => partitions.findIndex((other) => sameBoundary(one, other)) === i);
}

interface WayOptions {
  readonly model: EngineModel;
  readonly levels: readonly LevelOf[];
  /** Boundaries that are worth keeping on the way. */
  readonly toCome: readonly StageCut['partition'][];
}

/** From every boundary on the way, the deepest first, and from pixels. Programs are made when a way is first gone. */
function waysTo(program: StageProgram, { model, levels, toCome }: WayOptions) {
  const { partition } = program;
  const onTheWay = levels
    .filter((other) => !sameBoundary(other.partition, partition) && isOnTheWay(other.partition, partition))
    .sort((a, b) => b.partition.prefix.length - a.partition.prefix.length);
  const opened: PrefixProgram[] = [];
  const way = (from: LevelOf | null): Way | null => {
    const passed = levels.filter(
      (other) =>
        toCome.some((wanted) => sameBoundary(wanted, other.partition)) &&
        (from === null || (from !== other && isOnTheWay(from.partition, other.partition))),
    );
    return openWay({ program, model, from, passed, opened });
  };
  const ways = [...onTheWay, null].map(way).filter((found) => found !== null);
  return {
    ways,
    dispose() {
      for (const one of opened) one.dispose();
    },
  };
}

interface WayParts {
  readonly program: StageProgram;
  readonly model: EngineModel;
  readonly from: LevelOf | null;
  readonly passed: readonly LevelOf[];
  /** Every program that is made is put here. */
  readonly opened: PrefixProgram[];
}

/** Leaves out what would not have the bits of its own stage's program; null when nothing is left of the way. */
function openWay({ program, model, from, passed, opened }: WayParts): Way | null {
  const { partition } = program;
  const start = from?.partition ?? null;
  const leadsTo = (...targets: Partition[]): boolean => model.canPass({ from: start, targets });
  if (!leadsTo(partition)) return null;
  const passes: LevelOf[] = [];
  for (const one of passed) {
    if (leadsTo(partition, ...[...passes, one].map((other) => other.partition))) passes.push(one);
  }
  const targets = [partition, ...passes.map((one) => one.partition)];
  let pass: PrefixProgram | null = null;
  return {
    from: from?.level ?? null,
    passes: passes.map(({ level }) => level),
    run(input, wanted) {
      if (start === null && wanted.length === 0) return [program.features(input)];
      if (!pass) {
        pass = model.prefixProgram({ from: start, targets, blockSize });
        opened.push(pass);
      }
      return pass.run(input, [0, ...wanted.map((i) => i + 1)]);
    },
  };
}
