// Everything about the job that never changes while it runs: fetched by digest at the start, checked, and held.

import type { DataManifest } from '@thaw/common/data/manifest.ts';
import { dataManifestVersion } from '@thaw/common/data/manifest.ts';
import { shardTrainSet } from '@thaw/common/data/shards.ts';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { ResolvedJob } from '@thaw/common/job/resolved-job.ts';
import { type Graph, graphVersion, type Tensor, type Weights } from '@thaw/common/model/graph.ts';
import { readFloatTensors } from '@thaw/common/tensors/safetensors.ts';
import type { Welcome__Output } from '@thaw/proto/gen/thaw/v1/Welcome.ts';
import type { CommsLink } from '../comms/comms-link.ts';

export interface JobContext {
  readonly job: ResolvedJob;
  readonly graph: Graph;
  /** The source's network with its own classifier, of jobs with retention. */
  readonly oldGraph?: Graph;
  /** Values at the source: the pretrained backbone, the seeded initial head, and the old classifier where it is kept. */
  readonly source: Weights;
  readonly manifest: DataManifest;
  /** Folder that the manifest's relative paths start from. */
  readonly dataRoot: string;
  /** shards[v] = rows of the training set. */
  readonly shards: readonly Uint32Array[];
}

export async function fetchJob(link: CommsLink, welcome: Welcome__Output): Promise<JobContext> {
  const job = (await fetchJson(link, welcome.jobDigest)) as ResolvedJob;
  const graph = (await fetchJson(link, welcome.graphDigest)) as Graph;
  checkVersion('the graph', graph.version, graphVersion);
  const oldGraph = welcome.oldGraphDigest === '' ? null : ((await fetchJson(link, welcome.oldGraphDigest)) as Graph);
  const manifest = (await fetchJson(link, welcome.manifestDigest)) as DataManifest;
  checkVersion('the data manifest', manifest.version, dataManifestVersion);
  const source = new Map<string, Tensor>();
  for (const digest of welcome.weightsDigests) {
    const bytes = await link.fetch(digest, { cached: true });
    for (const [name, tensor] of readFloatTensors(bytes, digest)) source.set(name, tensor);
  }
  checkWeights(graph, source);
  if (oldGraph) checkWeights(oldGraph, source);
  const shards = shardTrainSet(manifest, job.data.shards);
  return { job, graph, ...(oldGraph && { oldGraph }), source, manifest, dataRoot: welcome.dataRoot, shards };
}

async function fetchJson(link: CommsLink, digest: string): Promise<unknown> {
  const bytes = await link.fetch(digest);
  return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
}

function checkVersion(what: string, found: number, known: number): void {
  if (found === known) return;
  throw new ThawError('VersionUnknown', `${what} has version ${found}; this Thaw knows version ${known}`);
}

function checkWeights(graph: Graph, weights: Weights): void {
  for (const { name, shape } of graph.layers.flatMap((layer) => layer.weights)) {
    const found = weights.get(name)?.shape;
    if (found?.join('x') === shape.join('x')) continue;
    throw new ThawError(
      'ModelInvalid',
      `${name}: found shape ${found?.join('x') ?? 'none'}; expected ${shape.join('x')}`,
    );
  }
}
