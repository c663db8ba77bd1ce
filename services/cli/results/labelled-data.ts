// DATA of `thaw evaluate`: a folder of class folders, a CSV or an example, with the classes that the model knows and no
// other. Lists every sample; a split column is not looked at.

import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { compareNames } from '@thaw/common/model/tensor-layout.ts';
import { nearest } from '@thaw/common/text/nearest.ts';
import type { MayFetch } from '@thaw/coordinator/prepare/fetching.ts';
import type { LabelledSamples } from '@thaw/trainer/inference/messages.ts';

export interface DataOptions extends MayFetch {
  readonly cwd: string;
  /** Examples are written here. */
  readonly cacheDirectory: string;
  /** The model's classes. */
  readonly labels: readonly string[];
}

const namesShownMax = 8;

/** `data`: file:PATH, example:NAME or a plain path. Throws SourceNotFound, NotSupported or DataInvalid. */
export async function readLabelledData(data: string, options: DataOptions): Promise<LabelledSamples> {
  const { locate } = await import('@thaw/coordinator/prepare/data-source/index-data-set.ts');
  const { listCsv } = await import('@thaw/coordinator/prepare/data-source/csv-list.ts');
  const { listImageFolder } = await import('@thaw/coordinator/prepare/data-source/image-folder.ts');
  const source = /^[a-z][a-z0-9]+:/.test(data) ? data : `file:${data}`;
  const { cwd: baseDirectory, cacheDirectory, fetching, labels } = options;
  const location = await locate(source, 'DATA', { baseDirectory, cacheDirectory, fetching });
  const listed = location.endsWith('.csv')
    ? await listCsv(location, 'DATA', undefined)
    : await listImageFolder(location, 'DATA');
  requireKnownClasses(new Set(listed.map(({ label }) => label)), labels, location);
  const sorted = [...listed].sort((a, b) => compareNames(a.id, b.id));
  return {
    ids: sorted.map(({ id }) => id),
    files: sorted.map(({ file }) => file),
    labels: sorted.map(({ label }) => labels.indexOf(label)),
  };
}

/** Not every class has to occur: the others have no samples in the figures. */
function requireKnownClasses(found: ReadonlySet<string>, labels: readonly string[], location: string): void {
  const unknown = [...found].filter((label) => !labels.includes(label)).sort(compareNames);
  if (unknown.length === 0) return;
  const hint = meant(
    unknown,
    labels.filter((label) => !found.has(label)),
  );
  throw new ThawError(
    'DataInvalid',
    `DATA: ${location}: found ${classes(unknown)}, which the model does not know${hint}; expected samples of its ${classes(labels)}`,
  );
}

function classes(names: readonly string[]): string {
  const shown = names.slice(0, namesShownMax).map((name) => `"${name}"`);
  const more = names.length > shown.length ? ` and ${names.length - shown.length} more` : '';
  return `${names.length === 1 ? 'class' : 'classes'} ${shown.join(', ')}${more}`;
}

function meant(unknown: readonly string[], missing: readonly string[]): string {
  const [near] = nearest(unknown[0] ?? '', missing);
  return near === undefined ? '' : ` (is "${near}" meant by "${unknown[0]}"?)`;
}
