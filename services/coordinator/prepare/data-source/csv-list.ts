// Reads a CSV of samples: columns path and label, optionally id, split and any column as group. Paths start at the
// CSV's folder. A row that lacks something is refused with its line.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { splitNames } from '@thaw/common/data/manifest.ts';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { nearest } from '@thaw/common/text/nearest.ts';
import { parse } from 'csv-parse/sync';
import type { ListedSample } from './sample-list.ts';

/** `group`: name of the column that holds group ids. Throws SourceNotFound or DataInvalid. */
export async function listCsv(file: string, field: string, group: string | undefined): Promise<ListedSample[]> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new ThawError('SourceNotFound', `${field}: ${file} cannot be read`, { cause });
  });
  const [header, ...rows] = parseRows(text, file);
  const columns = columnsOf(header?.values ?? [], { file, group });
  const samples = rows.map((row) => sampleOf(row, columns, { file, group }));
  const lines = rows.map(({ line }) => line);
  requireUnique(samples, { file, lines });
  if (group !== undefined && columns.has('split')) requireWholeGroups(samples, { file, lines });
  if (samples.length > 0) return samples;
  throw new ThawError('DataInvalid', `${field}: ${file} holds no row below its header`);
}

interface Row {
  readonly values: readonly string[];
  /** Counts from 1. */
  readonly line: number;
}

function parseRows(text: string, file: string): Row[] {
  try {
    const parsed: unknown = parse(text, { bom: true, skip_empty_lines: true, trim: true, info: true });
    return (parsed as { record: string[]; info: { lines: number } }[]).map(({ record, info }) => ({
      values: record,
      line: info.lines,
    }));
  } catch (cause) {
    throw new ThawError(
      'DataInvalid',
      `${file} is no well-formed CSV: ${cause instanceof Error ? cause.message : cause}`,
      { cause },
    );
  }
}

interface Csv {
  readonly file: string;
  readonly group: string | undefined;
}

/** Place in a row by column name. */
function columnsOf(header: readonly string[], { file, group }: Csv): ReadonlyMap<string, number> {
  const columns = new Map(header.map((name, place) => [name, place]));
  for (const column of ['path', 'label', ...(group ? [group] : [])]) {
    if (columns.has(column)) continue;
    const [near] = nearest(column, header);
    const hint = near ? `; is "${near}" meant?` : '';
    throw new ThawError(
      'DataInvalid',
      `${file}: found columns ${header.join(', ')}; expected a column "${column}"${hint}`,
    );
  }
  const twice = header.find((name, place) => columns.get(name) !== place);
  if (twice === undefined) return columns;
  throw new ThawError('DataInvalid', `${file}: found the column "${twice}" twice; names are unique`);
}

/** A column that is there is filled in every row: nothing falls back to another rule for some samples. */
function sampleOf({ values, line }: Row, columns: ReadonlyMap<string, number>, { file, group }: Csv): ListedSample {
  const value = (column: string): string | undefined => {
    const place = columns.get(column);
    if (place === undefined || values[place]) return place === undefined ? undefined : values[place];
    throw new ThawError('DataInvalid', `${file}:${line}: column "${column}" is empty; expected a value in every row`);
  };
  const [location = '', label = '', split] = [value('path'), value('label'), value('split')];
  const set = splitNames.find((name) => name === split);
  if (split !== undefined && !set) {
    throw new ThawError('DataInvalid', `${file}:${line}: split: found "${split}"; expected ${splitNames.join(', ')}`);
  }
  const ownGroup = group === undefined ? undefined : value(group);
  return {
    id: value('id') ?? location,
    file: path.resolve(path.dirname(file), location),
    label,
    ...(ownGroup !== undefined && { group: ownGroup }),
    ...(set && { set }),
  };
}

interface Lines {
  readonly file: string;
  /** Of each sample. */
  readonly lines: readonly number[];
}

/** A file listed twice could lie in two sets. */
function requireUnique(samples: readonly ListedSample[], { file, lines }: Lines): void {
  for (const [what, key] of [['id', 'id'] as const, ['file', 'file'] as const]) {
    const seen = new Map<string, number>();
    for (const [index, sample] of samples.entries()) {
      const value = sample[key];
      const first = seen.get(value);
      if (first !== undefined)
        throw new ThawError('DataInvalid', `${file}:${lines[index]}: the ${what} "${value}" is also on line ${first}`);
      seen.set(value, lines[index] as number);
    }
  }
}

function requireWholeGroups(samples: readonly ListedSample[], { file, lines }: Lines): void {
  const sets = new Map<string, string>();
  for (const [index, { group = '', set = '' }] of samples.entries()) {
    const other = sets.get(group) ?? set;
    if (other !== set) {
      const found = `group "${group}" is in ${set} here and in ${other} above`;
      throw new ThawError('DataInvalid', `${file}:${lines[index]}: ${found}; expected one set`);
    }
    sets.set(group, set);
  }
}
