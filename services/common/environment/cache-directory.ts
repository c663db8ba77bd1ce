// Where this host keeps what can be made or fetched again: blobs, examples, set-up's parts. Set-up itself, which runs
// before any TypeScript can, has the same rule in scripts/setup/locations.mjs.

import os from 'node:os';
import path from 'node:path';

/** THAW_CACHE, else thaw/ in the user's cache folder; an empty variable counts as none. `env`: the process environment, read by main.ts only. */
export function cacheDirectory(env: NodeJS.ProcessEnv): string {
  return path.resolve(env.THAW_CACHE || path.join(env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'thaw'));
}
