// The source's own classifier on the backbone that is being trained: the network that says what is left of the old task.
// It shares the backbone's tensors with the job's network by name; its classifier stays what it was at the source.

import { ThawError } from '../errors/thaw-error.ts';
import type { Loss } from '../job/resolved-job.ts';
import type { Graph } from './graph.ts';
import { replaceHead } from './head.ts';
import { activationOf } from './layer-config.ts';

/** At the job's input size. Throws NotSupported where the source is no classifier, or fits its own size only. */
export function oldTaskGraph(source: Graph, inputSize: { readonly height: number; readonly width: number }): Graph {
  const graph = resized(source, inputSize);
  oldTaskLoss(graph);
  if (oldTaskClasses(graph) < 2)
    throw refused(graph, `found an output of ${outputShape(graph)}; expected two classes or more`);
  return graph;
}

function resized(source: Graph, inputSize: { readonly height: number; readonly width: number }): Graph {
  try {
    return replaceHead(source, { cut: source.output, head: [], inputSize });
  } catch (cause) {
    if (!(cause instanceof ThawError)) throw cause;
    const { height, width } = inputSize;
    throw refused(
      source,
      `found a classifier that does not fit pictures of ${height} x ${width}; expected the source's own size`,
    );
  }
}

/** What goes with the activation that the old classifier ends in. */
export function oldTaskLoss(graph: Graph): Loss {
  const output = graph.layers.find(({ path }) => path === graph.output);
  const activation = output?.kind === 'Softmax' ? 'softmax' : output && activationOf(output);
  if (activation === 'softmax') return { kind: 'crossEntropy', labelSmoothing: 0 };
  if (activation === 'sigmoid') return { kind: 'binaryCrossEntropy', labelSmoothing: 0 };
  throw refused(
    graph,
    `found ${activation ?? 'no activation'} at its end; expected a classifier that ends in softmax or sigmoid`,
  );
}

export function oldTaskClasses(graph: Graph): number {
  const shape = graph.layers.find(({ path }) => path === graph.output)?.outputShape ?? [];
  return shape.length === 1 ? (shape[0] as number) : 0;
}

/**
 * Weights at which the network is divided for a stage: what the stage changes, and the classifier, so that the frozen
 * part is computed once a sample here too. Never empty, so that there is a suffix.
 */
export function oldTaskSuffix(graph: Graph, job: Graph, changing: readonly string[]): string[] {
  const shared = new Set(job.layers.map(({ path }) => path));
  const wanted = new Set(changing);
  const weights = graph.layers.flatMap((layer) => layer.weights.map(({ name }) => ({ name, path: layer.path })));
  const found = weights.filter(({ name, path }) => wanted.has(name) || !shared.has(path)).map(({ name }) => name);
  return found.length > 0 ? found : weights.slice(-1).map(({ name }) => name);
}

function refused(graph: Graph, what: string): ThawError {
  return new ThawError('NotSupported', `spec.retention: the source's ${graph.output}: ${what}`);
}

function outputShape({ layers, output }: Graph): string {
  return `[${layers.find(({ path }) => path === output)?.outputShape.join(' x ')}]`;
}
