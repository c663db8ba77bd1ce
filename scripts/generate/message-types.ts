// The types in proto/gen: made by @grpc/proto-loader's own generator, with the options that proto/load.ts loads with.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { protoFiles, protoOptions } from '@thaw/proto/load.ts';
import { filesIn } from './stale-files.ts';

/** Text of every file of proto/gen, by its path from the root of the repository. */
export async function messageTypes(root: string): Promise<[string, string][]> {
  const directory = await mkdtemp(path.join(tmpdir(), 'thaw-generate-'));
  try {
    const generator = path.join(root, 'node_modules/@grpc/proto-loader/build/bin/proto-loader-gen-types.js');
    const args = [generator, ...optionFlags(), `--outDir=${directory}`, ...protoFiles];
    // Run inside proto/, so that the files' own names stand in what is made.
    await promisify(execFile)(process.execPath, args, { cwd: path.join(root, 'proto') });
    const names = await filesIn(directory, '.');
    return await Promise.all(
      names.map(async (name): Promise<[string, string]> => {
        return [`proto/gen/${name}`, await readFile(path.join(directory, name), 'utf8')];
      }),
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** protoOptions as flags: constructors by name, switches by name alone. */
function optionFlags(): string[] {
  const options = Object.entries(protoOptions).map(([name, value]) =>
    typeof value === 'function' ? `--${name}=${value.name}` : `--${name}=${value}`,
  );
  const ending = ['--importFileExtension=.ts', '--targetFileExtension=.ts'];
  return [...options, '--includeDirs=.', '--grpcLib=@grpc/grpc-js', ...ending];
}
