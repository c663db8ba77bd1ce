// Opens the pretrained model that a job names: `file:` (a tfjs layers-model) or `example:` (from an installed package).
// Other kinds are refused by name.

import { createHash } from 'node:crypto';
import type { Digest } from '@thaw/common/content/digest.ts';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { Preprocessing } from '@thaw/common/job/resolved-job.ts';
import type { Graph, Weights } from '@thaw/common/model/graph.ts';
import { readLayersModel } from '@thaw/common/model/layers-model.ts';
import { matchWeights } from '@thaw/common/model/match-weights.ts';
import { decodeWeights } from '@thaw/common/model/weights-manifest.ts';
import { classifierCut } from './classifier-cut.ts';
import { readExampleModel } from './example-model.ts';
import { readLayersModelFile } from './layers-model-file.ts';
import type { RawLayersModel } from './raw-layers-model.ts';

export interface ModelSource {
  /** At the model's own input size; replaceHead() changes it. */
  readonly graph: Graph;
  readonly weights: Weights;
  /** Of topology, list of weights and weight bytes as they were read. */
  readonly digest: Digest;
  /** How the model wants its pixels, when the source says so. */
  readonly preprocessing?: Pick<Preprocessing, 'channelOrder' | 'scale' | 'mean' | 'std'>;
  /** Name of the last layer before the classifier. */
  readonly defaultCut: string;
  /** Where the model comes from, in a sentence, for the model card. */
  readonly origin: string;
}

export interface OpenOptions {
  /** Relative `file:` paths start here. */
  readonly baseDirectory: string;
  /** Height and width where the model leaves them open. */
  readonly inputSize?: { readonly height: number; readonly width: number } | undefined;
}

/** Throws SourceNotFound, ModelInvalid or NotSupported. */
export async function openModelSource(source: string, options: OpenOptions): Promise<ModelSource> {
  const raw = await readSource(source, options.baseDirectory);
  const graph = readLayersModel(raw.topology, { prefix: 'backbone', inputSize: options.inputSize });
  const stored = decodeWeights(raw.weightSpecs, raw.weightBytes, raw.weightsName);
  return {
    graph,
    weights: matchWeights(graph, stored, raw.weightsName),
    digest: digestOfModel(raw),
    defaultCut: classifierCut(graph),
    origin: raw.origin,
    ...(raw.preprocessing && { preprocessing: raw.preprocessing }),
  };
}

async function readSource(source: string, baseDirectory: string): Promise<RawLayersModel> {
  const scheme = /^([a-zA-Z0-9]+):/.exec(source)?.[1];
  const rest = source.slice((scheme?.length ?? 0) + 1);
  switch (scheme) {
    case 'file':
      return readLayersModelFile(rest, baseDirectory);
    case 'example':
      return readExampleModel(rest);
    case 'builtin':
    case 's3':
    case 'http':
    case 'https':
      throw new ThawError(
        'NotSupported',
        `spec.model.source: ${scheme}: sources are not supported yet; use file: or example:`,
      );
    default:
      throw new ThawError('JobInvalid', `spec.model.source: found "${source}"; expected file:PATH or example:NAME`);
  }
}

/** The list of weights counts too: it holds their order, types and the scales of quantised ones. */
function digestOfModel({ topology, weightSpecs, weightBytes }: RawLayersModel): Digest {
  const hash = createHash('sha256')
    .update(JSON.stringify([topology, weightSpecs]))
    .update(weightBytes);
  return `sha256:${hash.digest('hex')}`;
}
