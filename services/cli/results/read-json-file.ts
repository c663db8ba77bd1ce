// Reads one JSON file of a result and parses it by its schema: typed and checked from there on.

import { readFile } from 'node:fs/promises';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { printPath } from '@thaw/common/job/parse.ts';
import { problemsOf } from '@thaw/common/job/problems.ts';
import { z } from 'zod';

const problemsShownMax = 3;

/** Throws SourceNotFound or ModelInvalid, naming the file and the fields. */
export async function readJsonFile<T>(file: string, schema: z.ZodType<T>): Promise<T> {
  return checked(file, await readJson(file), schema);
}

/** The same for a file with a `version`, which is looked at before anything else. Throws VersionUnknown. */
export async function readVersionedFile<T>(
  file: string,
  { schema, version }: { readonly schema: z.ZodType<T>; readonly version: number },
): Promise<T> {
  const value = await readJson(file);
  const { version: found } = checked(file, value, z.object({ version: z.number() }));
  if (found === version) return checked(file, value, schema);
  throw new ThawError('VersionUnknown', `${file} has version ${found}; this Thaw knows version ${version}`);
}

/** The bytes of a file that a result must have. Throws SourceNotFound. */
export async function readResultFile(file: string): Promise<Uint8Array> {
  const { buffer, byteOffset, byteLength } = await readFile(file).catch((cause: NodeJS.ErrnoException) => {
    const reason = cause.code === 'ENOENT' ? 'is missing' : `cannot be read: ${cause.message}`;
    throw new ThawError('SourceNotFound', `${file} ${reason}; expected every file that \`thaw run\` wrote`, { cause });
  });
  // A plain view: Buffer's own slice() shares memory where Uint8Array's copies.
  return new Uint8Array(buffer, byteOffset, byteLength);
}

async function readJson(file: string): Promise<unknown> {
  const bytes = await readResultFile(file);
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ThawError('ModelInvalid', `${file} is no whole JSON file (${bytes.length} bytes): ${reason}`, { cause });
  }
}

function checked<T>(file: string, value: unknown, schema: z.ZodType<T>): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = problemsOf(result.error.issues, value)
    .slice(0, problemsShownMax)
    .map(({ path, message }) => (path.length > 0 ? `${printPath(path)}: ${message}` : message));
  throw new ThawError('ModelInvalid', `${file}: ${problems.join('; ')}`);
}
