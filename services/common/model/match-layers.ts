// Gives the layers of a Keras file to the layers of a graph. Names that somebody chose are matched as they are. Names that
// Keras made (`conv2d_7`) depend on what else its session built, so they count only when both sides have the same ones;
// else the n-th of a class is the n-th. Layers without names follow Keras' own order. Every shape is checked, and whatever
// is missing, surplus or misshapen is said at once.

import type { Graph, Layer, Tensor, Weights } from './graph.ts';
import { kerasOrder } from './keras-order.ts';
import { misfit } from './match-weights.ts';
import { lastName, type StoredArray, type StoredLayer, snakeCase, splitCounter } from './stored-layer.ts';

/** Throws ModelInvalid. `what` names the file. */
export function matchLayers(graph: Graph, stored: readonly StoredLayer[], what: string): Weights {
  const wanted = graph.layers.filter(({ weights }) => weights.length > 0);
  const left = new Set(stored.filter(({ arrays }) => arrays.length > 0));
  const pairs = new Map<Layer, StoredLayer>();
  const pair = (layer: Layer, found: StoredLayer): void => {
    pairs.set(layer, found);
    left.delete(found);
  };
  for (const [layer, found] of [...unnamed(graph, left), ...renumbered(wanted, left)]) pair(layer, found);
  for (const test of nameTests) {
    for (const layer of wanted) {
      const found = pairs.has(layer) ? undefined : byName(layer, left, test);
      if (found) pair(layer, found);
    }
  }
  const matched = new Map<string, Tensor>();
  const problems: string[] = [];
  for (const layer of wanted) {
    const found = pairs.get(layer);
    if (found) problems.push(...takeArrays(layer, found, matched));
    else problems.push(`${layer.path} is missing (${layer.weights.map(({ name }) => lastName(name)).join(', ')})`);
  }
  for (const { name, place } of left) problems.push(`${name ?? place} belongs to no layer`);
  if (problems.length > 0) throw misfit(what, problems);
  return matched;
}

type Pair = readonly [Layer, StoredLayer];

/** The n-th unnamed layer of a class is the graph's n-th in Keras' order; in models in models there is more than one n-th. */
function unnamed(graph: Graph, stored: ReadonlySet<StoredLayer>): Pair[] {
  const nameless = [...stored].filter(({ name }) => name === null);
  if (nameless.length === 0) return [];
  const ordered = kerasOrder(graph);
  return nameless.flatMap((found) => {
    const others = nameless.filter(({ kind, counter }) => kind === found.kind && counter === found.counter);
    if (others.length > 1) return [];
    const layer = ordered.filter(({ kind }) => snakeCase(kind) === found.kind)[found.counter];
    return layer && layer.weights.length > 0 ? [[layer, found] as const] : [];
  });
}

/** Pairs of layers of each class whose automatic names differ between graph and file. */
function renumbered(wanted: readonly Layer[], stored: ReadonlySet<StoredLayer>): Pair[] {
  const kinds = new Set(wanted.map((layer) => snakeCase(layer.kind)));
  return [...kinds].flatMap((kind) => {
    const layers = wanted.filter((layer) => snakeCase(layer.kind) === kind && baseOf(layer.path) === kind);
    const found = [...stored].filter(
      (layer) => layer.name !== null && baseOf(layer.name) === kind && (layer.kind ?? kind) === kind,
    );
    const ours = byCounter(layers, ({ path }) => lastName(path));
    const theirs = byCounter(found, ({ name }) => lastName(name as string));
    const same = ours.length === theirs.length && ours.every(([n], i) => n === theirs[i]?.[0]);
    const distinct = [ours, theirs].every((list) => new Set(list.map(([n]) => n)).size === list.length);
    if (same || !distinct || ours.length !== theirs.length) return [];
    return ours.map(([, layer], i) => [layer, theirs[i]?.[1] as StoredLayer] as const);
  });
}

const baseOf = (path: string): string => splitCounter(lastName(path)).base;

function byCounter<T>(layers: readonly T[], name: (layer: T) => string): (readonly [counter: number, layer: T])[] {
  return layers.map((layer) => [splitCounter(name(layer)).counter, layer] as const).sort(([a], [b]) => a - b);
}

type NameTest = (wanted: readonly string[], found: readonly string[]) => boolean;

/** The whole path; else outermost model and layer, because files leave out what lies between; else the layer alone. */
const nameTests: readonly NameTest[] = [
  (wanted, found) => wanted.join('/') === found.join('/'),
  (wanted, found) => wanted[0] === found[0],
  () => true,
];

function byName({ path }: Layer, stored: ReadonlySet<StoredLayer>, test: NameTest): StoredLayer | undefined {
  const names = path.split('/').slice(1);
  const [found, ...others] = [...stored].filter(
    ({ name }) => name !== null && lastName(name) === names.at(-1) && test(names, name.split('/')),
  );
  return others.length === 0 ? found : undefined;
}

/** By name where the file's names are ours, else by place: Keras lists a layer's weights in one fixed order. */
function takeArrays(layer: Layer, stored: StoredLayer, into: Map<string, Tensor>): string[] {
  const arrays = layer.kind === 'Normalization' ? stored.arrays.filter(isNoCounter) : stored.arrays;
  const expected = layer.weights.map(({ name }) => lastName(name));
  if (arrays.length !== expected.length) {
    const found = arrays.map(({ name, tensor }) => `${name} [${tensor.shape}]`).join(', ');
    return [`${layer.path}: found ${arrays.length} arrays (${found}); expected ${expected.join(', ')}`];
  }
  const byName = new Map(arrays.map((array) => [array.name, array]));
  const named = expected.every((name) => byName.has(name));
  return layer.weights.flatMap(({ name, shape }, i) => {
    const { tensor } = (named ? byName.get(lastName(name)) : arrays[i]) as StoredArray;
    into.set(name, tensor);
    return tensor.shape.join() === shape.join() ? [] : [`${name}: found shape [${tensor.shape}]; expected [${shape}]`];
  });
}

/** Keras counts the samples of a Normalization beside its statistics; nothing is computed from that. */
function isNoCounter({ tensor }: StoredArray): boolean {
  return tensor.shape.length > 0;
}
