// What of a job can change the bits of a stage's result, as two digests: what holds for all stages, and what is a
// stage's own. Everything counts but the fields that are left out here by name, each with its reason, so that a new
// field counts until somebody has shown that it need not. The values of model and data are not in here: they are told
// by the digests of the graph, the source weights and the samples.

import { type Digest, digestOfJson } from '../content/digest.ts';
import type { Metric, ResolvedJob, ResolvedStage } from './resolved-job.ts';

/**
 * Raise it with every change that makes an old job give other bits, be it of the executor's arithmetic, of the decoder's
 * calls or of an update: no stage, feature or picture that an earlier Thaw computed is used then.
 */
export const numericsVersion = 1;

/** Of the job without its stages. */
export function jobFacts(job: ResolvedJob): Digest {
  // The name is for people. The result is made from the stages' results: `output` chooses among them and writes them.
  // How often it is stored on the way changes nothing of what it comes to.
  const { name: _name, stages: _stages, output: _output, snapshot: _snapshot, retention, ...rest } = job;
  const { model, data, train, trainers } = rest;
  // Where model and weights lie; what they hold is told by digest.
  const { source: _model, weights: _weights, ...modelRules } = model;
  // Where the samples lie, likewise. A reused stage's bad samples are held against the job's own limit.
  const { source: _data, format: _format, maxBadSamples: _limit, split, ...dataRules } = data;
  // Only the default of the stages, which hold their own.
  const { microBatch: _microBatch, ...trainRules } = train;
  // How many trainers there are, what they run on and what they may keep; what they compute is told by the engine class
  // and the probe.
  const { replicas: _replicas, min: _min, max: _max, gpus: _gpus, cache: _cache, ...trainerRules } = trainers;
  return digestOfJson({
    ...rest,
    model: modelRules,
    data: { ...dataRules, split: split.kind === 'explicit' ? { kind: split.kind } : split },
    train: trainRules,
    trainers: trainerRules,
    // What is in its samples is told by the digest of the data.
    ...(retention && { retention: { maxDrop: retention.maxDrop, onExceed: retention.onExceed } }),
  });
}

/** Of a stage. `metric`: by which its best epoch is chosen. */
export function stageFacts(stage: ResolvedStage, metric: Metric): Digest {
  // For people.
  const { name: _name, ...rules } = stage;
  return digestOfJson({ ...rules, metric });
}
