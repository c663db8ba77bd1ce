// Which tensors a stage trains: globs over full layer paths, matched in full, `last(n)` backbone blocks, and `block(NAME)`.
// A pattern that selects nothing is refused, never ignored. `ranked(n)` is none of them any more, see ranked.ts.

import { ThawError } from '../errors/thaw-error.ts';
import { nearest } from '../text/nearest.ts';
import { blocksOf } from './blocks.ts';
import type { Graph, WeightSpec } from './graph.ts';

export interface Selection {
  /** Trainable tensors in the graph's order. Moving statistics are never among them. */
  readonly tensors: readonly WeightSpec[];
  /** Paths of the layers that hold them. */
  readonly layers: readonly string[];
  /** Paths of the batch normalisations that the patterns match, also of one that has nothing to train. */
  readonly normalizations: readonly string[];
}

const suggestionsMax = 3;

/** Throws JobInvalid naming the pattern that selected no trainable tensor. */
export function selectTrainable(graph: Graph, patterns: readonly string[]): Selection {
  const matched = new Set<string>();
  for (const pattern of patterns) {
    const paths = matching(graph, pattern);
    if (!paths.some((path) => trainableOf(graph, path).length > 0)) throw matchesNothing(graph, pattern);
    for (const path of paths) matched.add(path);
  }
  const found = graph.layers.filter(({ path }) => matched.has(path));
  const layers = found.map(({ path }) => path).filter((path) => trainableOf(graph, path).length > 0);
  return {
    layers,
    tensors: layers.flatMap((path) => trainableOf(graph, path)),
    normalizations: found.filter(({ kind }) => kind === 'BatchNormalization').map(({ path }) => path),
  };
}

function trainableOf(graph: Graph, path: string): WeightSpec[] {
  const layer = graph.layers.find((candidate) => candidate.path === path);
  return (layer?.weights ?? []).filter(({ role }) => role !== 'movingMean' && role !== 'movingVariance');
}

function matching(graph: Graph, pattern: string): string[] {
  const one = /^block\((.+)\)$/.exec(pattern)?.[1];
  if (one !== undefined) return blockNamed(graph, one);
  const last = /^last\((\d+)\)$/.exec(pattern);
  if (!last) {
    const glob = globPattern(pattern);
    return graph.layers.map(({ path }) => path).filter((path) => glob.test(path));
  }
  const count = Number(last[1]);
  const blocks = blocksOf(graph);
  if (count < 1 || count > blocks.length) {
    const names = blocks.map(({ name }) => name).join(', ');
    const expected = `expected last(1) to last(${blocks.length}), because the backbone has ${blocks.length} blocks: ${names}`;
    throw new ThawError('JobInvalid', `trainable: found "${pattern}"; ${expected}`, { data: { pattern } });
  }
  return blocks.slice(-count).flatMap(({ layers }) => layers);
}

function blockNamed(graph: Graph, name: string): string[] {
  const blocks = blocksOf(graph);
  const found = blocks.filter((block) => block.name === name);
  if (found.length > 0) return found.flatMap(({ layers }) => layers);
  const pattern = `block(${name})`;
  const names = blocks.map((block) => block.name);
  const shown = [...new Set([...nearest(name, names, suggestionsMax), ...names.slice(-1)])].join(', ');
  throw new ThawError(
    'JobInvalid',
    `trainable: found "${pattern}"; expected one of the backbone's ${blocks.length} blocks, such as ${shown}`,
    { data: { pattern } },
  );
}

/** `*` matches within one part of a path, `**` across parts, `?` one character. Matched in full. */
export function globPattern(glob: string): RegExp {
  const parts = glob.split(/(\*\*|\*|\?)/).map((part) => {
    if (part === '**') return '.*';
    if (part === '*') return '[^/]*';
    if (part === '?') return '[^/]';
    return part.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('')}$`);
}

function matchesNothing(graph: Graph, pattern: string): ThawError {
  const weighted = graph.layers.filter(({ path }) => trainableOf(graph, path).length > 0).map(({ path }) => path);
  const near = [
    ...nearest(pattern, weighted, suggestionsMax),
    ...nearest(`backbone/${pattern}`, weighted, suggestionsMax),
  ];
  const names = near.length > 0 ? near : [...weighted.slice(-suggestionsMax)];
  return new ThawError(
    'JobInvalid',
    `trainable: "${pattern}" matches no layer with trainable tensors; there are for example ` +
      `${[...new Set(names)].slice(0, suggestionsMax).join(', ')} (patterns match whole paths: \`backbone/block5_*\`, \`head/**\`, \`last(2)\`)`,
    { data: { pattern } },
  );
}
