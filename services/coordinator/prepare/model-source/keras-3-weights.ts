// Weights in Keras 3's layout (`.weights.h5`, and inside of `.keras`): `layers/conv2d_3/vars/0`. Groups count the classes
// of one model; the layer's own name is the attribute `name` of `vars`, which early versions did not write.

import { type StoredLayer, splitCounter } from '@thaw/common/model/stored-layer.ts';
import type { Group } from './keras-hdf5.ts';

/** Beside the layers: what training left, and the state of random layers. */
const notWeights = new Set(['optimizer', 'metrics', '_metrics', 'compile_metrics', 'loss_tracker', 'seed_generator']);

/** Name of the layer in a group (`layers/functional/layers/conv2d_3`), for files that do not say. */
export type GroupNames = ReadonlyMap<string, string>;

/** Layers without weights left out. Null where the group is not laid out like this. */
export function keras3Layers(root: Group, names: GroupNames): StoredLayer[] | null {
  if (!root.has('layers')) return null;
  const found: StoredLayer[] = [];
  walk(root, [], { names, found });
  return found;
}

interface Walk {
  readonly names: GroupNames;
  readonly found: StoredLayer[];
}

/** `path`: names of the models around; null for one that has no name. */
function walk(group: Group, path: readonly (string | null)[], { names, found }: Walk): void {
  const vars = group.group('vars');
  if (vars) found.push(...layerOf(group.place, vars, path));
  for (const key of group.keys()) {
    if (key === 'vars' || notWeights.has(key) || group.isArray(key)) continue;
    const inner = group.group(key) as Group;
    if (key !== 'layers') {
      walk(inner, [...path, nameOf(inner, names)], { names, found });
      continue;
    }
    for (const counted of inner.keys()) {
      const layer = inner.group(counted) as Group;
      walk(layer, [...path, nameOf(layer, names)], { names, found });
    }
  }
}

function nameOf(group: Group, names: GroupNames): string | null {
  const name = group.group('vars')?.attribute('name');
  return typeof name === 'string' ? name : (names.get(group.place) ?? null);
}

function layerOf(place: string, vars: Group, path: readonly (string | null)[]): StoredLayer[] {
  const keys = vars.keys().sort((a, b) => Number(a) - Number(b));
  if (keys.length === 0) return [];
  const { base, counter } = splitCounter(place.slice(place.lastIndexOf('/') + 1));
  const named = path.length > 0 && path.every((name) => name !== null);
  return [
    {
      name: named ? path.join('/') : null,
      kind: base,
      counter,
      place,
      arrays: keys.map((key) => ({ name: key, tensor: vars.array(key) })),
    },
  ];
}
