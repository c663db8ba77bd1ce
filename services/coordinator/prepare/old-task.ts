// What a job needs to keep an eye on the old task: the source's network with its own classifier, and samples labelled by
// that classifier's classes. They join the job's samples as a set of their own, which nothing is learnt from.

import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { contentDigits, type SampleColumns } from '@thaw/common/data/manifest.ts';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { ResolvedJob } from '@thaw/common/job/resolved-job.ts';
import type { Graph, Tensor, Weights } from '@thaw/common/model/graph.ts';
import { oldTaskClasses, oldTaskGraph } from '@thaw/common/model/old-task.ts';
import { compareNames } from '@thaw/common/model/tensor-layout.ts';
import type { RetentionPlan } from '../core/job-plan.ts';
import { listCsv } from './data-source/csv-list.ts';
import { listImageFolder } from './data-source/image-folder.ts';
import { digestFiles, type IndexedDataSet, type IndexOptions, locate } from './data-source/index-data-set.ts';
import type { ListedSample } from './data-source/sample-list.ts';
import type { ModelSource } from './model-source/open-model-source.ts';

export interface OldTask {
  readonly graph: Graph;
  /** All of its weights, the backbone's too. */
  readonly weights: Weights;
  /** Paths are absolute. */
  readonly columns: SampleColumns;
  readonly plan: RetentionPlan;
}

const field = 'spec.retention.source';
const namedMax = 5;

/** Null for a job without retention. Throws SourceNotFound, DataInvalid or NotSupported. */
export async function openOldTask(
  { model, retention }: ResolvedJob,
  source: ModelSource,
  options: IndexOptions,
): Promise<OldTask | null> {
  if (!retention) return null;
  const graph = oldTaskGraph(source.graph, model.preprocessing);
  const weights = weightsOf(graph, source.weights);
  const names = classNames(source, oldTaskClasses(graph));
  const columns = await columnsOfSamples(await listSamples(retention.source, options), names);
  const { source: _, ...rule } = retention;
  return { graph, weights, columns, plan: { classes: names.length, ...rule } };
}

/** The data with one set more, and a digest that tells it. */
export function withOldTask(data: IndexedDataSet, { columns }: OldTask): IndexedDataSet {
  const { ids, labels, contents } = columns;
  const text = JSON.stringify([data.manifest.digest, 'retention', ids, labels, contents]);
  const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`;
  return { ...data, manifest: { ...data.manifest, digest, sets: { ...data.manifest.sets, retention: columns } } };
}

/** A result of Thaw says what its classes are called; those of other models are known by their index. */
function classNames({ labels }: ModelSource, classes: number): readonly string[] {
  if (!labels) return Array.from({ length: classes }, (_, index) => String(index));
  if (labels.length === classes) return labels;
  throw new ThawError(
    'ModelInvalid',
    `spec.model.source: found ${labels.length} labels for an output of ${classes} classes; expected one for each`,
  );
}

function weightsOf(graph: Graph, source: Weights): Weights {
  const names = graph.layers.flatMap(({ weights }) => weights.map(({ name }) => name));
  const missing = names.find((name) => !source.has(name));
  if (missing === undefined) return new Map(names.map((name) => [name, source.get(name) as Tensor]));
  const found = `found no values for ${missing} in the source`;
  throw new ThawError('NotSupported', `spec.retention: ${found}; expected a source with its classifier`);
}

/** All of them: a column that divides them would be ignored. */
async function listSamples(source: string, options: IndexOptions): Promise<readonly ListedSample[]> {
  const location = await locate(source, field, options);
  const isFile = (await stat(location)).isFile();
  const listed = isFile ? await listCsv(location, field, undefined) : await listImageFolder(location, field);
  if (listed.every(({ set }) => set === undefined)) return listed;
  throw new ThawError(
    'DataInvalid',
    `${field}: ${location}: found a column "split"; expected none, because every sample is evaluated`,
  );
}

async function columnsOfSamples(listed: readonly ListedSample[], names: readonly string[]): Promise<SampleColumns> {
  const sorted = [...listed].sort((a, b) => compareNames(a.id, b.id));
  requireKnown(new Set(sorted.map(({ label }) => label)), names);
  const files = await digestFiles(sorted);
  return {
    ids: sorted.map(({ id }) => id),
    paths: sorted.map(({ file }) => path.resolve(file)),
    labels: sorted.map(({ label }) => names.indexOf(label)),
    byteLengths: files.map(({ bytes }) => bytes),
    contents: files.map(({ sha256 }) => sha256.slice(0, contentDigits)),
  };
}

function requireKnown(found: ReadonlySet<string>, names: readonly string[]): void {
  const unknown = [...found].filter((label) => !names.includes(label)).sort(compareNames);
  if (unknown.length === 0) return;
  const some = (all: readonly string[]): string =>
    `${all.slice(0, namedMax).join(', ')}${all.length > namedMax ? ` and ${all.length - namedMax} more` : ''}`;
  throw new ThawError(
    'DataInvalid',
    `${field}: found the labels ${some(unknown)}; expected classes of the source's classifier: ${some(names)}`,
  );
}
