// A world for tests of one command: what it writes is kept, its folders are given, the environment is empty.

import { PassThrough } from 'node:stream';
import type { World } from '../world.ts';

export interface CapturedWorld extends World {
  /** Everything written to stdout so far. */
  written(): string;
  /** Everything written to stderr so far. */
  complaints(): string;
  /** The status that the process would end with. */
  status(): number;
}

export function capturedWorld(folders: { readonly cwd: string; readonly cacheDirectory: string }): CapturedWorld {
  let text = '';
  let complaints = '';
  let status = 0;
  return {
    ...folders,
    env: {},
    s3: {},
    command: 'thaw',
    stdout: sink((chunk) => {
      text += chunk;
    }),
    stderr: sink((chunk) => {
      complaints += chunk;
    }),
    exitWith(wanted) {
      status ||= wanted;
    },
    written: () => text,
    complaints: () => complaints,
    status: () => status,
  };
}

function sink(take: (chunk: string) => void): NodeJS.WriteStream {
  const stream = new PassThrough();
  stream.on('data', (chunk) => take(String(chunk)));
  return stream as unknown as NodeJS.WriteStream;
}
