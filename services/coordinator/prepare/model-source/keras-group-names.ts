// Which layer of a model's config each counted group of a Keras 3 file belongs to: Keras walks the layers in the config's
// order and counts each class within its model.

import { snakeCase } from '@thaw/common/model/stored-layer.ts';
import type { GroupNames } from './keras-3-weights.ts';

interface Listed {
  readonly class_name: string;
  readonly name?: unknown;
  readonly config: { readonly name?: unknown; readonly layers?: unknown };
}

/** Layers that are malformed are left out: reading the topology says what is wrong with them. */
export function groupNames(topology: unknown): GroupNames {
  const names = new Map<string, string>();
  if (isListed(topology)) nameGroups(topology, 'layers', names);
  return names;
}

function nameGroups({ config }: Listed, place: string, names: Map<string, string>): void {
  const counters = new Map<string, number>();
  for (const layer of Array.isArray(config.layers) ? (config.layers as unknown[]) : []) {
    if (!isListed(layer)) continue;
    const kind = snakeCase(layer.class_name);
    const counter = counters.get(kind) ?? 0;
    counters.set(kind, counter + 1);
    const group = `${place}/${kind}${counter > 0 ? `_${counter}` : ''}`;
    names.set(group, String(layer.name ?? layer.config.name));
    nameGroups(layer, `${group}/layers`, names);
  }
}

function isListed(value: unknown): value is Listed {
  const { class_name: kind, config } = (value ?? {}) as Partial<Listed>;
  return typeof kind === 'string' && typeof config === 'object' && config !== null;
}
