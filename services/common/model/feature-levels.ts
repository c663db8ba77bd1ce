// Which boundaries one pass over the pixels can store for later: those of the stages to come whose prefix no stage before
// them trains. Pure; the plan and the trainers follow the same rule. It only foresees: what is served is always decided
// by the key of a level (its weights included), so a wrong guess costs time and never bits.

import type { ResolvedStage } from '../job/resolved-job.ts';
import { stageStatistics, statisticsNames } from './batch-statistics.ts';
import type { Graph, Partition } from './graph.ts';
import { partitionFor } from './partition.ts';
import { selectTrainable } from './select.ts';

/** Where a stage cuts the network, and what it changes. */
export interface StageCut {
  readonly partition: Partition;
  /** Layers with a tensor that changes: trained, or a statistic that moves. */
  readonly trained: ReadonlySet<string>;
  /** The stage estimates statistics of frozen layers anew when it begins. */
  readonly entersChanged: boolean;
}

export function stageCuts(graph: Graph, stages: readonly Pick<ResolvedStage, 'select' | 'batchNorm'>[]): StageCut[] {
  return stages.map((stage) => {
    const { tensors } = selectTrainable(graph, stage.select);
    const { moved } = stageStatistics(graph, stage);
    const names = new Set([...tensors.map(({ name }) => name), ...statisticsNames(moved)]);
    const trains = graph.layers.filter(({ weights }) => weights.some(({ name }) => names.has(name)));
    return {
      partition: partitionFor(graph, [...names]),
      trained: new Set(trains.map(({ path }) => path)),
      entersChanged: stage.batchNorm === 'adapt',
    };
  });
}

/** A prefix without a layer that computes has the input as its boundary: its rows are the pixels. */
export function prefixComputes({ prefix, boundary }: Partition): boolean {
  return prefix.some((path) => !boundary.includes(path)) || boundary.length > 1;
}

/** Whether everything that `inner` computes is computed on the way to `outer`. */
export function isOnTheWay(inner: Partition, outer: Partition): boolean {
  const layers = new Set(outer.prefix);
  return inner.prefix.every((path) => layers.has(path));
}

export function sameBoundary(a: Partition, b: Partition): boolean {
  return a.boundary.join() === b.boundary.join();
}

/** Partitions of later stages that a pass of stage `index` stores beside its own, in the order of their stages. */
export function boundariesToCome(cuts: readonly StageCut[], index: number): Partition[] {
  const own = cuts[index]?.partition;
  const found: Partition[] = [];
  for (let later = index + 1; later < cuts.length && own; later++) {
    const { partition } = cuts[later] as StageCut;
    const known = [own, ...found].some((other) => sameBoundary(other, partition));
    if (known || !prefixComputes(partition) || !isOnTheWay(partition, own)) continue;
    if (lasts(partition, cuts, { from: index, to: later })) found.push(partition);
  }
  return found;
}

/** Whether an earlier stage stores, or has read, the boundary of stage `index` as this stage needs it. */
export function isStoredBefore(cuts: readonly StageCut[], index: number): boolean {
  const own = cuts[index]?.partition;
  if (!own || !prefixComputes(own)) return false;
  return cuts
    .slice(0, index)
    .some(({ partition }, from) => isOnTheWay(own, partition) && lasts(own, cuts, { from, to: index }));
}

/**
 * Whether a stage from `index` on starts from the pixels once more: its prefix computes nothing, or none of the
 * boundaries that stage `index` can store leads to it.
 */
export function pixelsServeAgain(cuts: readonly StageCut[], index: number): boolean {
  const own = cuts[index]?.partition;
  if (!own || !prefixComputes(own)) return true;
  const stored = [own, ...boundariesToCome(cuts, index)];
  return cuts
    .slice(index + 1)
    .some(
      ({ partition }, i) =>
        !stored.some((level) => isOnTheWay(level, partition) && lasts(level, cuts, { from: index, to: index + 1 + i })),
    );
}

/** Whether no stage from `from` up to the beginning of `to` changes a layer of the prefix. */
function lasts({ prefix }: Partition, cuts: readonly StageCut[], { from, to }: { from: number; to: number }): boolean {
  const touched = cuts.slice(from, to).some(({ trained }) => prefix.some((path) => trained.has(path)));
  return !touched && !cuts.slice(from + 1, to + 1).some(({ entersChanged }) => entersChanged);
}
