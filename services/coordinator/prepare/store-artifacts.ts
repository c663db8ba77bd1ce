// Puts what trainers fetch into the blob store, and gives the core its plan. Equal jobs give equal digests.

import { canonicalJson } from '@thaw/common/content/digest.ts';
import { writeSafetensors } from '@thaw/common/tensors/safetensors.ts';
import type { BlobStore } from '../adapters/blob-store.ts';
import type { JobPlan } from '../core/job-plan.ts';
import type { PreparedJob } from './prepared-job.ts';

export async function storeArtifacts(prepared: PreparedJob, blobs: BlobStore): Promise<JobPlan> {
  const { job, graph, manifest, weights, dataRoot, plan } = prepared;
  const isHead = (name: string): boolean => name.startsWith('head/');
  const backbone = new Map([...weights].filter(([name]) => !isHead(name)));
  const head = new Map([...weights].filter(([name]) => isHead(name)));
  return {
    ...plan,
    artifacts: {
      job: await blobs.put(canonicalJson(job)),
      graph: await blobs.put(canonicalJson(graph)),
      manifest: await blobs.put(JSON.stringify(manifest)),
      weights: [await blobs.put(writeSafetensors(backbone)), await blobs.put(writeSafetensors(head))],
      dataRoot,
    },
  };
}
