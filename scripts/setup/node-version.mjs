// Which Node versions Thaw runs on. tfjs-node 4.22 calls functions that Node 23 removed.

import { SetupError } from './run.mjs';

/** @param {string} version */
export function checkNode(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if ((major === 20 && minor >= 19) || major === 21 || major === 22) return;
  throw new SetupError(`found Node ${version}; Thaw needs 20.19 or newer, below 23 (nodejs.org has all of them)`);
}
