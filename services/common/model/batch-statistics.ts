// Which batch normalisations measure their statistics in a stage, and how what they measure lies in one vector. `train`
// moves those of the thawed layers in every step; `adapt` sets those of the frozen ones once, when the stage begins.

import { ThawError } from '../errors/thaw-error.ts';
import type { ResolvedStage } from '../job/resolved-job.ts';
import type { Graph, Layer } from './graph.ts';
import { numberOf } from './layer-config.ts';
import { selectTrainable } from './select.ts';
import { compareNames } from './tensor-layout.ts';

export interface StatisticsEntry {
  readonly path: string;
  /** Weight names. */
  readonly mean: string;
  readonly variance: string;
  readonly channels: number;
  /** Of the layer's first mean; its variances follow its means. */
  readonly offset: number;
  /** Values that one sample gives to one channel: height x width. */
  readonly valuesPerSample: number;
  readonly momentum: number;
  readonly epsilon: number;
}

/** In byte order of the paths: a mean and a variance of every channel. */
export interface StatisticsLayout {
  readonly entries: readonly StatisticsEntry[];
  readonly length: number;
}

export interface StageStatistics {
  /** Measured on the micro-batches of every step. */
  readonly moved: StatisticsLayout;
  /** Measured once, over the training set. */
  readonly adapted: StatisticsLayout;
}

type StageRule = Pick<ResolvedStage, 'select' | 'batchNorm'>;

/** Throws JobInvalid where a stage asks for statistics and no layer has them. */
export function stageStatistics(graph: Graph, stage: StageRule): StageStatistics {
  const { batchNorm } = stage;
  const all = graph.layers.filter(({ kind }) => kind === 'BatchNormalization');
  const thawed = new Set(selectTrainable(graph, stage.select).normalizations);
  const moved = batchNorm === 'train' ? all.filter(({ path }) => thawed.has(path)) : [];
  const adapted = batchNorm === 'adapt' ? all.filter(({ path }) => !thawed.has(path)) : [];
  if (batchNorm !== 'frozen' && moved.length + adapted.length === 0) {
    const which = batchNorm === 'train' ? 'layer that it thaws' : 'layer that it leaves frozen';
    throw new ThawError(
      'JobInvalid',
      `batchNorm: found ${batchNorm}, but no ${which} is a batch normalisation; expected frozen`,
      { data: { field: 'batchNorm' } },
    );
  }
  return { moved: statisticsLayout(moved), adapted: statisticsLayout(adapted) };
}

export function statisticsLayout(layers: readonly Layer[]): StatisticsLayout {
  const entries: StatisticsEntry[] = [];
  let offset = 0;
  for (const layer of [...layers].sort((a, b) => compareNames(a.path, b.path))) {
    const { path, outputShape } = layer;
    const channels = outputShape.at(-1) as number;
    entries.push({
      path,
      mean: `${path}/moving_mean`,
      variance: `${path}/moving_variance`,
      channels,
      offset,
      valuesPerSample: outputShape.slice(0, -1).reduce((product, size) => product * size, 1),
      momentum: numberOf(layer, 'momentum', 0.99),
      epsilon: numberOf(layer, 'epsilon', 1e-3),
    });
    offset += 2 * channels;
  }
  return { entries, length: offset };
}

export const noStatistics: StatisticsLayout = { entries: [], length: 0 };

/** Weight names of what the layout measures. */
export function statisticsNames({ entries }: StatisticsLayout): string[] {
  return entries.flatMap(({ mean, variance }) => [mean, variance]);
}
