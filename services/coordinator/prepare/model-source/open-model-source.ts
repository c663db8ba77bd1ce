// Opens the pretrained model that a job names: a Keras file or a tfjs layers-model (`file:`, `http(s):`, `s3:`),
// `example:` (from an installed package) or `builtin:` (a topology that Thaw knows).

import { createHash } from 'node:crypto';
import type { Digest } from '@thaw/common/content/digest.ts';
import type { S3Environment } from '@thaw/common/environment/s3-environment.ts';
import { invariant, ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { SourcePreprocessing } from '@thaw/common/job/resolved-job.ts';
import type { Graph, Weights } from '@thaw/common/model/graph.ts';
import { readLayersModel } from '@thaw/common/model/layers-model.ts';
import { matchLayers } from '@thaw/common/model/match-layers.ts';
import { matchWeights } from '@thaw/common/model/match-weights.ts';
import { decodeWeights } from '@thaw/common/model/weights-manifest.ts';
import type { MayFetch } from '../fetching.ts';
import { fetchSource } from '../remote/fetch-source.ts';
import { isRemote } from '../remote/remote-address.ts';
import { type ModelWeights, openBuiltinModel } from './builtin-model.ts';
import { classifierCut } from './classifier-cut.ts';
import { readExampleModel } from './example-model.ts';
import { isKerasFile, readKerasModel } from './keras-file.ts';
import { readLayersModelFile } from './layers-model-file.ts';
import type { RawLayersModel } from './raw-layers-model.ts';

export interface ModelSource {
  /** At the model's own input size; replaceHead() changes it. */
  readonly graph: Graph;
  readonly weights: Weights;
  /** Of topology, list of weights and weight bytes as they were read. */
  readonly digest: Digest;
  /** How the model wants its pixels, when the source says so. */
  readonly preprocessing?: SourcePreprocessing;
  /** What a Keras file calls its network. */
  readonly modelName?: string | undefined;
  /** Name of the last layer before the classifier, or of the one that the head of a Thaw result was put on. */
  readonly defaultCut: string;
  /** Names of the classes of its classifier, where the source says so. */
  readonly labels?: readonly string[];
  /** Where the model comes from, in a sentence, for the model card. */
  readonly origin: string;
  /** What the user must not overlook, a sentence each. */
  readonly warnings?: readonly string[];
}

export interface OpenOptions extends MayFetch {
  /** Relative `file:` paths start here. */
  readonly baseDirectory: string;
  /** Examples, and what is fetched, are written here. */
  readonly cacheDirectory?: string | undefined;
  /** Who asks for s3: sources, and where; without it public buckets of AWS can be read. */
  readonly s3?: S3Environment | undefined;
  /** Height and width where the model leaves them open. */
  readonly inputSize?: { readonly height: number; readonly width: number } | undefined;
  /** Of a builtin. */
  readonly weights?: ModelWeights | undefined;
  /** For random weights. */
  readonly seed?: number;
}

/** Throws SourceNotFound, ModelInvalid or NotSupported. */
export async function openModelSource(source: string, options: OpenOptions): Promise<ModelSource> {
  if (source.startsWith('builtin:')) return openBuiltinModel(source.slice('builtin:'.length), options);
  if (isRemote(source)) return openRemote(source, options);
  if (isKerasFile(source)) return openKerasFile(source.slice('file:'.length), options);
  const raw = await readSource(source, options.baseDirectory);
  const graph = readLayersModel(raw.topology, { prefix: 'backbone', inputSize: options.inputSize });
  const stored = decodeWeights(raw.weightSpecs, raw.weightBytes, raw.weightsName);
  return {
    graph,
    weights: matchWeights(graph, stored, raw.weightsName),
    digest: digestOfModel(raw),
    defaultCut: raw.cut ?? classifierCut(graph),
    origin: raw.origin,
    ...(raw.preprocessing && { preprocessing: raw.preprocessing }),
    ...(raw.labels && { labels: raw.labels }),
  };
}

async function openRemote(source: string, options: OpenOptions): Promise<ModelSource> {
  const { cacheDirectory, s3, fetching } = options;
  invariant(cacheDirectory !== undefined, 'what is fetched lies in a cache folder');
  const { file, shown, warning } = await fetchSource(source, { cacheDirectory, s3, fetching });
  const model = await openModelSource(`file:${file}`, options);
  const warnings = [...(model.warnings ?? []), ...(warning === null ? [] : [warning])];
  const origin = isKerasFile(`file:${file}`) ? `${model.origin}, from ${shown}` : `the tfjs layers-model ${shown}`;
  return { ...model, origin, ...(warnings.length > 0 && { warnings }) };
}

async function openKerasFile(location: string, { baseDirectory, inputSize }: OpenOptions): Promise<ModelSource> {
  const { topology, layers, said, digest, what } = await readKerasModel(location, baseDirectory);
  const graph = readLayersModel(topology, { prefix: 'backbone', inputSize });
  return {
    graph,
    weights: matchLayers(graph, layers, what),
    digest,
    defaultCut: said.cut ?? classifierCut(graph),
    modelName: networkName(topology),
    origin: `the Keras model ${what}`,
    ...(said.preprocessing && { preprocessing: said.preprocessing }),
    ...(said.labels && { labels: said.labels }),
  };
}

function networkName(topology: object): string | undefined {
  const { config } = topology as { config?: { name?: unknown } };
  return typeof config?.name === 'string' ? config.name : undefined;
}

async function readSource(source: string, baseDirectory: string): Promise<RawLayersModel> {
  const scheme = /^([a-zA-Z0-9]+):/.exec(source)?.[1];
  const rest = source.slice((scheme?.length ?? 0) + 1);
  switch (scheme) {
    case 'file':
      return readLayersModelFile(rest, baseDirectory);
    case 'example':
      return readExampleModel(rest);
    default:
      throw new ThawError(
        'JobInvalid',
        `spec.model.source: found "${source}"; expected file:PATH, https://HOST/FILE, s3://BUCKET/KEY, example:NAME or builtin:NAME`,
      );
  }
}

/** The list of weights counts too: it holds their order, types and the scales of quantised ones. */
function digestOfModel({ topology, weightSpecs, weightBytes }: RawLayersModel): Digest {
  const hash = createHash('sha256')
    .update(JSON.stringify([topology, weightSpecs]))
    .update(weightBytes);
  return `sha256:${hash.digest('hex')}`;
}
