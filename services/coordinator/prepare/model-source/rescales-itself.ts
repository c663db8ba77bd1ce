// Whether a network takes bytes as they are, because its own first layer scales them.

import type { Graph } from '@thaw/common/model/graph.ts';

export function rescalesItself({ layers, input }: Graph): boolean {
  return layers.some(({ kind, inputs }) => kind === 'Rescaling' && inputs[0] === input);
}
