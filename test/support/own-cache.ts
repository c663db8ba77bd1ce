// A cache folder as somebody has it who has set Thaw up and run nothing yet: this machine's engine, broker and examples
// by links, and no blob, no feature, no stage. So no test leans on what was computed here before, and what it computes
// goes with its folder.

import { existsSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { cacheDirectory } from '../../scripts/setup/locations.mjs';

/** Makes the folder and returns its path. */
export async function ownCache(folder: string): Promise<string> {
  const shared = cacheDirectory(process.env);
  await mkdir(folder, { recursive: true });
  // Also where it was not there yet, so that the first test that needs an example fetches it for all of them.
  await mkdir(path.join(shared, 'examples'), { recursive: true });
  for (const part of ['examples', 'engine', 'nats-server']) {
    if (existsSync(path.join(shared, part))) await symlink(path.join(shared, part), path.join(folder, part));
  }
  return folder;
}
