// The identity of what a job computes: the resolved job without what may differ between a laptop and a cluster and
// cannot change the result (name, number and place of trainers, where sources lie and the output goes), with the digests
// of model and data.

import { type Digest, digestOfJson } from '../content/digest.ts';
import type { ResolvedJob } from './resolved-job.ts';

export function jobDigest(job: ResolvedJob, digests: { readonly model: Digest; readonly data: string }): Digest {
  return digestOfJson({ ...decisiveFields(job), digests });
}

/** Of the job itself: all that has to be the same for the same result. */
export function decisiveFields(job: ResolvedJob): Readonly<Record<string, unknown>> {
  const { apiVersion, task, model, data, train, stages, trainers, output, retention } = job;
  const { source: _model, weights: _weights, ...modelRules } = model;
  const { source: _data, format: _format, split, ...dataRules } = data;
  return {
    apiVersion,
    task,
    model: modelRules,
    data: { ...dataRules, split: split.kind === 'explicit' ? { kind: split.kind } : split },
    train,
    stages,
    threads: trainers.threads,
    engine: trainers.engine,
    weights: output.weights,
    metric: output.metric,
    // Said only where it is on, so that jobs from before it was known keep their digest.
    ...(output.calibrate !== 'none' && { calibrate: output.calibrate }),
    ...(retention && { retention: { maxDrop: retention.maxDrop, onExceed: retention.onExceed } }),
  };
}
