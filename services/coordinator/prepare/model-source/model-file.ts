// Reads files of a model that anybody may have made: plain files of a bounded size, and JSON that is not nested without
// end. A link to a device or a pipe would otherwise be read for ever.

import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';

/** Most that Node reads at once. */
const fileBytesMax = 2 ** 31 - 1;
const textBytesMax = 64 * 1024 * 1024;
/** A model inside of a model takes six. */
const depthMax = 200;

/** `what` names it in errors. Throws SourceNotFound or ModelInvalid. */
export async function readModelFile(file: string, what: string, bytesMax = fileBytesMax): Promise<Buffer> {
  // Without waiting for the other end of a pipe.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch((cause: unknown) => {
    throw notFound(`${what} cannot be read: ${(cause as Error).message}`, cause);
  });
  try {
    const found = await handle.stat();
    if (!found.isFile()) throw notFound(`${what} is no file (looked at ${file})`);
    if (found.size > bytesMax) throw invalid(`${what}: found ${found.size} bytes; expected at most ${bytesMax}`);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

export async function readModelJson(file: string): Promise<unknown> {
  return parseModelJson((await readModelFile(file, file, textBytesMax)).toString('utf8'), file);
}

/** Throws ModelInvalid. What walks through the result later may call itself. */
export function parseModelJson(text: string, what: string): unknown {
  const parsed = wholeJson(text, what);
  let level = [parsed].filter(isNested);
  for (let depth = 0; level.length > 0; depth++) {
    if (depth === depthMax) throw invalid(`${what}: found JSON nested ${depthMax} deep; expected less`);
    level = level.flatMap((value) => Object.values(value).filter(isNested));
  }
  return parsed;
}

function wholeJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw invalid(`${what} is no whole JSON: ${(cause as Error).message}`, cause);
  }
}

function isNested(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function notFound(message: string, cause?: unknown): ThawError {
  return new ThawError('SourceNotFound', message, { cause });
}

function invalid(message: string, cause?: unknown): ThawError {
  return new ThawError('ModelInvalid', message, { cause });
}
