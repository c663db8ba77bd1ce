// What several commands read alike: option values and the job file, with messages of the usual form.

import { readFile } from 'node:fs/promises';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { InvalidArgumentError } from 'commander';

/** A whole number from 1. */
export function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError(`found "${text}"; expected a whole number from 1`);
}

/** Throws SourceNotFound. */
export async function readJobText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    const found = cause.code === 'ENOENT' ? 'there is no such file' : cause.message;
    throw new ThawError('SourceNotFound', `${file}: ${found}; expected a job file (YAML)`, { cause });
  });
}
