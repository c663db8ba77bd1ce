// Finds the blocks of a backbone: runs of weighted layers between two points where a single tensor crosses. A segment
// of nothing but normalisation belongs to the block before it; neighbours that the architecture's names put into one
// block (`block_16_expand`, `block_16_project`; `block5_conv1`, `block5_conv2`) are one block.

import type { Block, Graph, Layer } from './graph.ts';

const backbonePrefix = 'backbone/';
const blockStem = /^(.*block_?\d+[a-z]?)_/;

/** From input to output. Layers without weights are in no block, and neither is Normalization, which never trains. */
export function blocksOf(graph: Graph): Block[] {
  const backbone = graph.layers.filter(({ path }) => path.startsWith(backbonePrefix));
  const blocks: { stem: string | null; layers: Layer[] }[] = [];
  for (const segment of segmentsOf(backbone)) {
    const layers = segment.filter(({ kind, weights }) => weights.length > 0 && kind !== 'Normalization');
    if (layers.length === 0) continue;
    const stem = commonStem(layers);
    const last = blocks.at(-1);
    const belongsToLast = last && (layers.every(isNormalization) || (stem !== null && stem === last.stem));
    if (belongsToLast) last.layers.push(...layers);
    else blocks.push({ stem, layers });
  }
  return blocks.map(({ stem, layers }) => ({
    name: stem ?? nameOf(layers[0] as Layer),
    layers: layers.map(({ path }) => path),
  }));
}

/** Paths of the layers after which one tensor alone crosses: where the network falls into two parts. */
export function cutPointsOf({ layers }: Graph): string[] {
  return segmentsOf(layers).map((segment) => (segment.at(-1) as Layer).path);
}

/** Cuts wherever exactly one output is still to be read. */
function segmentsOf(layers: readonly Layer[]): Layer[][] {
  const lastReader = new Map<string, number>();
  for (const [index, { inputs }] of layers.entries()) for (const input of inputs) lastReader.set(input, index);
  const segments: Layer[][] = [];
  let segment: Layer[] = [];
  const live = new Set<string>();
  for (const [index, layer] of layers.entries()) {
    segment.push(layer);
    for (const input of layer.inputs) if (lastReader.get(input) === index) live.delete(input);
    if (lastReader.has(layer.path)) live.add(layer.path);
    if (live.size > 1) continue;
    segments.push(segment);
    segment = [];
  }
  return segments;
}

function commonStem(layers: readonly Layer[]): string | null {
  const stems = new Set(layers.map((layer) => blockStem.exec(nameOf(layer))?.[1] ?? null));
  return stems.size === 1 ? ([...stems][0] as string | null) : null;
}

function isNormalization({ kind }: Layer): boolean {
  return kind === 'BatchNormalization';
}

function nameOf({ path }: Layer): string {
  return path.slice(backbonePrefix.length);
}
