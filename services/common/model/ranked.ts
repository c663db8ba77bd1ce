// `ranked(n)` in a stage's selection: the n blocks whose gradients are largest against their weights. Which ones these are
// is measured while the job runs; until then a plan works with bounds. Pure: an order in, plain selections out.

import { ThawError } from '../errors/thaw-error.ts';
import { blocksOf } from './blocks.ts';
import type { Block, Graph } from './graph.ts';
import { parametersOf } from './parameters.ts';

/** The order is part of the job's stored state, of an event and of every directive, which are all bounded. */
export const rankedBlocksMax = 256;

const rankedPattern = /^ranked\((\d+)\)$/;

type Selecting = { readonly select: readonly string[] };

/** n of the selection's `ranked(n)`, the largest where there are several; null without one. */
export function rankedCount(select: readonly string[]): number | null {
  const counts = select.flatMap((pattern) => rankedPattern.exec(pattern)?.[1] ?? []).map(Number);
  return counts.length > 0 ? Math.max(...counts) : null;
}

/** Blocks with something to train, from output to input. */
export function rankableBlocks(graph: Graph): Block[] {
  const trains = (path: string): boolean =>
    graph.layers.some((layer) => layer.path === path && layer.weights.some(({ role }) => !role.startsWith('moving')));
  return blocksOf(graph)
    .filter(({ layers }) => layers.some(trains))
    .reverse();
}

/** Throws JobInvalid where a `ranked(n)` asks for no block, or for more than there are, or than can be ranked. */
export function requireRankable(graph: Graph, select: readonly string[]): void {
  const blocks = rankableBlocks(graph);
  for (const pattern of select) {
    const count = rankedCount([pattern]);
    if (count === null) continue;
    if (blocks.length > rankedBlocksMax) throw tooManyToRank(pattern, blocks.length);
    if (count >= 1 && count <= blocks.length) continue;
    const expected = `expected ranked(1) to ranked(${blocks.length}), because so many of the backbone's blocks can train`;
    throw new ThawError('JobInvalid', `trainable: found "${pattern}"; ${expected}`, { data: { pattern } });
  }
}

function tooManyToRank(pattern: string, blocks: number): ThawError {
  const found = `trainable: found "${pattern}" and a backbone of ${blocks} blocks`;
  return new ThawError('JobInvalid', `${found}; at most ${rankedBlocksMax} are ranked, so name them, or use last(n)`, {
    data: { pattern },
  });
}

/** With the measured blocks in the place of each `ranked(n)`. `order`: their names, first to thaw first. */
export function withRanked<Stage extends Selecting>(stage: Stage, order: readonly string[]): Stage {
  return replaced(stage, (count) => order.slice(0, count));
}

/** With all blocks in the place of each `ranked(n)`: no measured set trains more, and none has a shallower boundary. */
export function withEveryBlock<Stage extends Selecting>(stage: Stage, graph: Graph): Stage {
  return replaced(stage, () => rankableBlocks(graph).map(({ name }) => name));
}

/** With the n blocks that have most parameters, or fewest: bounds of what a measured set trains. */
export function withBlocksBySize<Stage extends Selecting>(
  stage: Stage,
  graph: Graph,
  which: 'largest' | 'smallest',
): Stage {
  const sizeOf = ({ layers }: Block): number => parametersOf(graph.layers.filter(({ path }) => layers.includes(path)));
  const rising = rankableBlocks(graph).sort((a, b) => sizeOf(a) - sizeOf(b));
  const sorted = which === 'smallest' ? rising : rising.reverse();
  return replaced(stage, (count) => sorted.slice(0, count).map(({ name }) => name));
}

function replaced<Stage extends Selecting>(stage: Stage, blocksFor: (count: number) => readonly string[]): Stage {
  if (rankedCount(stage.select) === null) return stage;
  const select = stage.select.flatMap((pattern) => {
    const count = rankedPattern.exec(pattern)?.[1];
    return count === undefined ? [pattern] : blocksFor(Number(count)).map((name) => `block(${name})`);
  });
  return { ...stage, select: [...new Set(select)] };
}
