// Puts what trainers fetch into the blob store, and gives the core its plan. Equal jobs give equal digests.

import { canonicalJson } from '@thaw/common/content/digest.ts';
import { writeSafetensors } from '@thaw/common/tensors/safetensors.ts';
import type { BlobStore } from '../adapters/blob-store.ts';
import type { JobPlan } from '../core/job-plan.ts';
import type { PreparedJob } from './prepared-job.ts';

export async function storeArtifacts(prepared: PreparedJob, blobs: BlobStore): Promise<JobPlan> {
  const { job, graph, oldGraph, manifest, weights, dataRoot, plan } = prepared;
  const isHead = (name: string): boolean => name.startsWith('head/');
  const inGraph = new Set(graph.layers.flatMap((layer) => layer.weights.map(({ name }) => name)));
  const backbone = new Map([...weights].filter(([name]) => !isHead(name) && inGraph.has(name)));
  const head = new Map([...weights].filter(([name]) => isHead(name)));
  const oldClassifier = new Map([...weights].filter(([name]) => !inGraph.has(name)));
  return {
    ...plan,
    artifacts: {
      job: await blobs.put(canonicalJson(job)),
      graph: await blobs.put(canonicalJson(graph)),
      manifest: await blobs.put(JSON.stringify(manifest)),
      ...(oldGraph && { oldGraph: await blobs.put(canonicalJson(oldGraph)) }),
      weights: await Promise.all(
        [backbone, head, ...(oldClassifier.size > 0 ? [oldClassifier] : [])].map((values) =>
          blobs.put(writeSafetensors(values)),
        ),
      ),
      dataRoot,
    },
  };
}
