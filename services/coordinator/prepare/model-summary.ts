// What a model is made of, for somebody who is about to write a job for it: size, blocks and what `last(n)` means, where
// it can be cut, how its pixels are prepared. Pure.

import { likelyInput } from '@thaw/common/job/preprocessing.ts';
import { blocksOf, cutPointsOf } from '@thaw/common/model/blocks.ts';
import type { Graph, Layer } from '@thaw/common/model/graph.ts';
import { replaceHead } from '@thaw/common/model/head.ts';
import { parametersOf } from '@thaw/common/model/parameters.ts';
import { modelInputSize } from './model-source/input-size.ts';
import type { ModelSource } from './model-source/open-model-source.ts';
import { rescalesItself } from './model-source/rescales-itself.ts';

export interface ModelSummary {
  readonly source: string;
  readonly origin: string;
  readonly input: { readonly height: number; readonly width: number };
  /** How the model wants its pixels; null where the source does not say. */
  readonly preprocessing: NonNullable<ModelSource['preprocessing']> | null;
  /** What is likely where the source does not say, in a sentence. */
  readonly likelyPreprocessing?: string;
  readonly parameters: number;
  /** Up to the cut: what stays below a new head. */
  readonly parametersToCut: number;
  /** As `model.cut` names it. */
  readonly cut: string;
  /** Up to the cut, from input to output. */
  readonly blocks: readonly BlockSummary[];
  readonly layers: readonly LayerSummary[];
}

export interface BlockSummary {
  readonly name: string;
  /** `last(n)` selects this block and all after it. */
  readonly last: number;
  /** The last layer at which the network can be cut before the next block begins. */
  readonly cut: string;
  readonly outputShape: readonly number[];
  /** Paths of the layers with weights. */
  readonly layers: readonly string[];
  readonly parameters: number;
}

export interface LayerSummary {
  /** As `trainable` patterns match it. */
  readonly path: string;
  readonly kind: string;
  readonly outputShape: readonly number[];
  readonly parameters: number;
  /** Whether one tensor alone leaves it, so that the network falls into two parts here. */
  readonly cutPoint: boolean;
  /** Whether a new head would stand after it. */
  readonly kept: boolean;
}

type Described = Pick<ModelSource, 'graph' | 'preprocessing' | 'modelName' | 'defaultCut' | 'origin'>;

/** Throws JobInvalid (a cut that is no layer) or ModelInvalid (no picture at the input). */
export function modelSummary(source: string, model: Described, wantedCut?: string): ModelSummary {
  const { graph, preprocessing, modelName, defaultCut, origin } = model;
  const input = modelInputSize(graph);
  const cut = wantedCut ?? defaultCut;
  const trunk = replaceHead(graph, { cut, head: [], inputSize: input });
  const rescales = rescalesItself(graph);
  const kept = new Set(trunk.layers.map(({ path }) => path));
  const cutPoints = new Set(cutPointsOf(graph));
  return {
    source,
    origin,
    input,
    preprocessing: preprocessing ?? null,
    ...(!preprocessing && { likelyPreprocessing: likelyInput(source, { modelName, rescales }).trim() }),
    parameters: parametersOf(graph.layers),
    parametersToCut: parametersOf(trunk.layers),
    cut: ownName(trunk.output),
    blocks: blockSummaries(trunk),
    layers: graph.layers.map((layer) => ({
      path: layer.path,
      kind: layer.kind,
      outputShape: layer.outputShape,
      parameters: parametersOf([layer]),
      cutPoint: cutPoints.has(layer.path),
      kept: kept.has(layer.path),
    })),
  };
}

function blockSummaries(trunk: Graph): BlockSummary[] {
  const indexOf = new Map(trunk.layers.map(({ path }, index) => [path, index]));
  const byPath = new Map(trunk.layers.map((layer) => [layer.path, layer]));
  const cutPoints = cutPointsOf(trunk);
  const blocks = blocksOf(trunk);
  return blocks.map(({ name, layers }, index) => {
    const next = indexOf.get(blocks[index + 1]?.layers[0] ?? '') ?? trunk.layers.length;
    const cut = cutPoints.findLast((path) => (indexOf.get(path) as number) < next) ?? trunk.output;
    return {
      name,
      last: blocks.length - index,
      cut: ownName(cut),
      outputShape: byPath.get(cut)?.outputShape ?? [],
      layers,
      parameters: parametersOf(layers.map((path) => byPath.get(path) as Layer)),
    };
  });
}

function ownName(path: string): string {
  return path.replace(/^backbone\//, '');
}
