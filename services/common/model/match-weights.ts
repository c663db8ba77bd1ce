// Gives stored weights to the tensors of a graph, by name, with every shape checked. Whatever is missing, surplus or
// misshapen is listed at once.

import { ThawError } from '../errors/thaw-error.ts';
import type { Graph, Tensor, Weights } from './graph.ts';

const listedMax = 5;

/** `stored` names are layer name + '/' + weight name, without the graph's `backbone/`. Throws ModelInvalid. */
export function matchWeights(graph: Graph, stored: Weights, what: string): Weights {
  const left = new Map(stored);
  const matched = new Map<string, Tensor>();
  const problems: string[] = [];
  for (const { name, shape } of graph.layers.flatMap((layer) => layer.weights)) {
    const tensor = takeByName(left, name);
    if (!tensor) problems.push(`${name} is missing`);
    else if (tensor.shape.join() !== shape.join()) {
      problems.push(`${name}: found shape [${tensor.shape}]; expected [${shape}]`);
    } else matched.set(name, tensor);
  }
  for (const name of left.keys()) problems.push(`${name} belongs to no layer`);
  if (problems.length === 0) return matched;
  throw misfit(what, problems);
}

/** `problems`: one or more, of which the first few are listed. */
export function misfit(what: string, problems: readonly string[]): ThawError {
  const more = problems.length > listedMax ? `\n  and ${problems.length - listedMax} more` : '';
  return new ThawError(
    'ModelInvalid',
    `${what}: weights do not fit the layers:\n  ${problems.slice(0, listedMax).join('\n  ')}${more}`,
  );
}

/** A nested model's weights are stored under the inner layer's name, with or without the outer one. */
function takeByName(left: Map<string, Tensor>, name: string): Tensor | undefined {
  const parts = name.split('/').slice(1);
  for (let start = 0; start < parts.length - 1; start++) {
    const key = parts.slice(start).join('/');
    const tensor = left.get(key);
    if (!tensor) continue;
    left.delete(key);
    return tensor;
  }
  return undefined;
}
