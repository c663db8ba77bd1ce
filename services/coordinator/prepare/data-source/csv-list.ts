// Reads a CSV of samples: columns path and label, optionally id, split and any column as group. Paths start at the
// CSV's folder. A row that lacks something is refused with its line.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type SplitName, splitNames } from '@thaw/common/data/manifest.ts';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { nearest } from '@thaw/common/text/nearest.ts';
import { parse } from 'csv-parse/sync';
import type { ListedSample } from './sample-list.ts';

/** `group`: name of the column that holds group ids. Throws SourceNotFound or DataInvalid. */
export async function listCsv(file: string, field: string, group: string | undefined): Promise<ListedSample[]> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new ThawError('SourceNotFound', `${field}: ${file} cannot be read`, { cause });
  });
  const rows = parseRows(text, file);
  const [header = [], ...records] = rows;
  requireColumns(header, ['path', 'label', ...(group ? [group] : [])], file);
  const samples = records.map((record, index) => {
    const value = (column: string): string => record[header.indexOf(column)] ?? '';
    return sampleOf(value, { file, line: index + 2, group });
  });
  requireUniqueIds(samples, file);
  if (samples.length > 0) return samples;
  throw new ThawError('DataInvalid', `${field}: ${file} holds no row below its header`);
}

function parseRows(text: string, file: string): string[][] {
  try {
    return parse(text, { bom: true, skip_empty_lines: true, trim: true }) as string[][];
  } catch (cause) {
    throw new ThawError(
      'DataInvalid',
      `${file} is no well-formed CSV: ${cause instanceof Error ? cause.message : cause}`,
      { cause },
    );
  }
}

function requireColumns(header: readonly string[], wanted: readonly string[], file: string): void {
  for (const column of wanted) {
    if (header.includes(column)) continue;
    const [near] = nearest(column, header);
    const hint = near ? `; is "${near}" meant?` : '';
    throw new ThawError(
      'DataInvalid',
      `${file}: found columns ${header.join(', ')}; expected a column "${column}"${hint}`,
    );
  }
}

interface Place {
  readonly file: string;
  readonly line: number;
  readonly group: string | undefined;
}

function sampleOf(value: (column: string) => string, { file, line, group }: Place): ListedSample {
  for (const column of ['path', 'label', ...(group ? [group] : [])]) {
    if (value(column) === '') throw new ThawError('DataInvalid', `${file}:${line}: column "${column}" is empty`);
  }
  const split = value('split');
  const set = splitNames.find((name) => name === split);
  if (split !== '' && !set) {
    throw new ThawError('DataInvalid', `${file}:${line}: split: found "${split}"; expected ${splitNames.join(', ')}`);
  }
  return {
    id: value('id') || value('path'),
    file: path.resolve(path.dirname(file), value('path')),
    label: value('label'),
    ...(group && { group: value(group) }),
    ...(set && { set: set as SplitName }),
  };
}

function requireUniqueIds(samples: readonly ListedSample[], file: string): void {
  const lines = new Map<string, number>();
  for (const [index, { id }] of samples.entries()) {
    const first = lines.get(id);
    if (first !== undefined)
      throw new ThawError('DataInvalid', `${file}:${index + 2}: the id "${id}" is also on line ${first}`);
    lines.set(id, index + 2);
  }
}
