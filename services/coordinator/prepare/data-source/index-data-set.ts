// From a job's data section to a manifest: lists the samples, divides them into sets, digests every file. Says in one
// sentence what a data set lacks; reads no pixel.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import {
  contentDigits,
  type DataManifest,
  dataManifestVersion,
  type SampleColumns,
  type SplitName,
  splitNames,
} from '@thaw/common/data/manifest.ts';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { DataFormat, ResolvedSplit } from '@thaw/common/job/resolved-job.ts';
import { compareNames } from '@thaw/common/model/tensor-layout.ts';
import type { MayFetch } from '../fetching.ts';
import { copiesWarning } from './copies.ts';
import { listCsv } from './csv-list.ts';
import { exampleData } from './example-data.ts';
import { listImageFolder } from './image-folder.ts';
import type { ListedSample } from './sample-list.ts';
import { splitSamples } from './split-samples.ts';

export interface DataSpec {
  readonly source: string;
  /** Found out from the source when absent. */
  readonly format?: DataFormat | undefined;
  readonly split: ResolvedSplit;
}

export interface IndexOptions extends MayFetch {
  /** Relative `file:` paths start here. */
  readonly baseDirectory: string;
  /** Examples are written here. */
  readonly cacheDirectory: string;
}

export interface IndexedDataSet {
  readonly manifest: DataManifest;
  /** Folder that the manifest's relative paths start from. */
  readonly root: string;
  readonly format: DataFormat;
  /** What decided on the sets. */
  readonly dividedBy: 'fractions' | 'column' | 'folders';
  /** What the user must not overlook, a sentence each. */
  readonly warnings: readonly string[];
}

const digestingMax = 8;
const classesListedMax = 5;

/** Throws SourceNotFound, DataInvalid or NotSupported. */
export async function indexDataSet(spec: DataSpec, options: IndexOptions): Promise<IndexedDataSet> {
  const { split } = spec;
  const main = await locate(spec.source, 'spec.data.source', options);
  const isCsv = main.endsWith('.csv') || (split.kind === 'explicit' && split.train.endsWith('.csv'));
  const format = spec.format ?? (isCsv ? 'csv' : 'imageFolder');
  const listed =
    split.kind === 'explicit' ? await listExplicit(split, { format, options }) : await list(main, format, split);
  // A CSV names every sample's set, or none.
  const isListed = listed.every(({ set }) => set !== undefined);
  const sets = split.kind === 'hash' && !isListed ? splitSamples(listed, split) : setsAsListed(listed);
  const classes = [...new Set(listed.map(({ label }) => label))].sort(compareNames);
  requireClasses(classes, main);
  requireSamples(listed, sets, split);
  requireTrainSamples(listed, sets, classes);
  const isFile = (await stat(main)).isFile();
  const root = isFile ? path.dirname(main) : main;
  const files = await digestFiles(listed);
  const dividedBy = split.kind === 'explicit' ? 'folders' : isListed ? 'column' : 'fractions';
  const copies = copiesWarning(
    listed.map(({ id }, i) => ({ id, set: sets.get(id) ?? 'train', sha256: (files[i] as FileFacts).sha256 })),
  );
  const manifest = manifestOf({ listed, sets, classes, files, root });
  return { manifest, root, format, dividedBy, warnings: copies === null ? [] : [copies] };
}

async function list(
  main: string,
  format: DataFormat,
  split: Extract<ResolvedSplit, { kind: 'hash' }>,
): Promise<ListedSample[]> {
  if (format === 'csv') return listCsv(main, 'spec.data.source', split.group);
  if (split.group === undefined) return listImageFolder(main, 'spec.data.source');
  throw new ThawError(
    'DataInvalid',
    `spec.data.split.group: found "${split.group}", but a folder of images has no columns; use a CSV with columns path, label and ${split.group}`,
  );
}

async function listExplicit(
  split: Extract<ResolvedSplit, { kind: 'explicit' }>,
  { format, options }: { format: DataFormat; options: IndexOptions },
): Promise<ListedSample[]> {
  const samples: ListedSample[] = [];
  const setOf = new Map<string, SplitName>();
  for (const set of splitNames) {
    const field = `spec.data.split.folders.${set}`;
    const location = await realpath(await locate(split[set], field, options));
    const listed =
      format === 'csv' ? await listCsv(location, field, undefined) : await listImageFolder(location, field);
    for (const sample of listed) {
      const other = setOf.get(sample.file);
      if (other && other !== set) {
        throw new ThawError(
          'DataInvalid',
          `${field}: ${sample.file} is also in the ${other} set; expected sets without a common sample`,
        );
      }
      setOf.set(sample.file, set);
      samples.push({ ...sample, id: `${set}/${sample.id}`, set });
    }
  }
  return samples;
}

/** Absolute path of a source; examples are made first. */
export async function locate(source: string, field: string, options: IndexOptions): Promise<string> {
  const [, scheme, rest = ''] = /^([a-z0-9]+):(.*)$/.exec(source) ?? [];
  if (scheme === 'example') return exampleData(rest, field, options);
  if (scheme !== 'file') {
    throw new ThawError(
      'NotSupported',
      `${field}: found "${source}"; only file:PATH and example:NAME are supported yet`,
    );
  }
  const location = path.resolve(options.baseDirectory, rest);
  if (await stat(location).catch(() => null)) return location;
  throw new ThawError('SourceNotFound', `${field}: ${source} does not exist (looked at ${location})`);
}

function setsAsListed(samples: readonly ListedSample[]): Map<string, SplitName> {
  return new Map(samples.map(({ id, set }) => [id, set ?? 'train']));
}

function requireClasses(classes: readonly string[], source: string): void {
  if (classes.length >= 2) return;
  throw new ThawError(
    'DataInvalid',
    `spec.data.source: ${source} has one class only ("${classes[0]}"); expected two or more`,
  );
}

function requireSamples(
  samples: readonly ListedSample[],
  sets: ReadonlyMap<string, SplitName>,
  split: ResolvedSplit,
): void {
  for (const set of splitNames) {
    const labels = new Set(samples.filter(({ id }) => sets.get(id) === set).map(({ label }) => label));
    if (labels.size > 0) continue;
    const wanted = split.kind === 'hash' ? `${split[set]} of ${samples.length} samples` : split[set];
    throw new ThawError(
      'DataInvalid',
      `spec.data.split.${set}: the ${set} set is empty (${wanted}); every set needs samples`,
    );
  }
}

/** A class that nothing is learnt about would be a guess at its best. */
function requireTrainSamples(
  samples: readonly ListedSample[],
  sets: ReadonlyMap<string, SplitName>,
  classes: readonly string[],
): void {
  const learnt = new Set(samples.filter(({ id }) => sets.get(id) === 'train').map(({ label }) => label));
  const missing = classes.filter((name) => !learnt.has(name));
  if (missing.length === 0) return;
  const listed = missing.slice(0, classesListedMax).join(', ');
  const more = missing.length > classesListedMax ? ` and ${missing.length - classesListedMax} more` : '';
  throw new ThawError(
    'DataInvalid',
    `spec.data.split: found no training sample of ${listed}${more}; expected every class in the training set`,
  );
}

export interface FileFacts {
  readonly bytes: number;
  readonly sha256: string;
}

export async function digestFiles(samples: readonly ListedSample[]): Promise<FileFacts[]> {
  const facts: FileFacts[] = [];
  const queue = samples.entries();
  const worker = async (): Promise<void> => {
    for (const [index, { file }] of queue) facts[index] = await digestFile(file);
  };
  await Promise.all(Array.from({ length: digestingMax }, worker));
  return facts;
}

async function digestFile(file: string): Promise<FileFacts> {
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      bytes += chunk.length;
    }
  } catch (cause) {
    throw new ThawError(
      'SourceNotFound',
      `the sample ${file} cannot be read: ${cause instanceof Error ? cause.message : cause}`,
      { cause },
    );
  }
  return { bytes, sha256: hash.digest('hex') };
}

interface ManifestParts {
  readonly listed: readonly ListedSample[];
  readonly sets: ReadonlyMap<string, SplitName>;
  readonly classes: readonly string[];
  readonly files: readonly FileFacts[];
  readonly root: string;
}

function manifestOf({ listed, sets, classes, files, root }: ManifestParts): DataManifest {
  const order = [...listed.keys()].sort((a, b) => compareNames(listed[a]?.id ?? '', listed[b]?.id ?? ''));
  const labels = new Map(classes.map((name, label) => [name, label]));
  const hash = createHash('sha256').update(JSON.stringify(classes));
  const columns = Object.fromEntries(
    splitNames.map((name) => [name, { ids: [], paths: [], labels: [], byteLengths: [], contents: [] }]),
  ) as unknown as Record<
    SplitName,
    { -readonly [key in keyof SampleColumns]-?: NonNullable<SampleColumns[key]>[number][] }
  >;
  for (const index of order) {
    const { id, file, label } = listed[index] as ListedSample;
    const { bytes, sha256 } = files[index] as FileFacts;
    const set = sets.get(id) ?? 'train';
    hash.update(JSON.stringify([id, label, set, sha256]));
    const column = columns[set];
    column.ids.push(id);
    column.paths.push(path.relative(root, file));
    column.labels.push(labels.get(label) as number);
    column.byteLengths.push(bytes);
    column.contents.push(sha256.slice(0, contentDigits));
  }
  return { version: dataManifestVersion, classes, sets: columns, digest: `sha256:${hash.digest('hex')}` };
}
