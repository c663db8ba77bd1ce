// The order of set-up, and the stamp that makes a second one instant. Each part is complete or absent: it is built
// under a temporary name and renamed, so an interrupted set-up goes on where it stopped.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { buildEngine, engineIsBuilt, engineIsLinked, linkEngine } from './engine.mjs';
import { cacheDirectory, engineDirectory, natsServerPath, repositoryRoot } from './locations.mjs';
import { withLock } from './lock.mjs';
import { fetchNatsServer } from './nats-server.mjs';
import { run, timed } from './run.mjs';

const stampFile = path.join(repositoryRoot, 'node_modules', '.thaw-set-up.json');

/** What must be unchanged for the packages in node_modules to be the right ones. */
function packagesKey() {
  const lock = readFileSync(path.join(repositoryRoot, 'package-lock.json'));
  return createHash('sha256').update(lock).update(process.versions.modules).digest('hex');
}

function packagesAreInstalled() {
  if (!existsSync(stampFile)) return false;
  try {
    return JSON.parse(readFileSync(stampFile, 'utf8')).packages === packagesKey();
  } catch {
    return false;
  }
}

/** @param {NodeJS.ProcessEnv} env */
function isComplete(env) {
  if (!packagesAreInstalled() || !engineIsBuilt(env) || !engineIsLinked()) return false;
  const linked = JSON.parse(readFileSync(stampFile, 'utf8')).engine === engineDirectory(env);
  return linked && natsServerPath(env) !== null;
}

/** @param {{ ci: boolean }} options */
export async function setUp({ ci }) {
  const env = process.env;
  if (isComplete(env)) return;
  await withLock(cacheDirectory(env), async () => {
    if (!packagesAreInstalled()) await timed('npm packages', () => installPackages(ci));
    if (!engineIsBuilt(env)) {
      await timed('TensorFlow engine (fetching 260 MB, then about a minute of compiling)', () => buildEngine(env));
    }
    if (natsServerPath(env) === null) await timed('nats-server', () => fetchNatsServer(env));
    await linkEngine(env);
    await writeFile(stampFile, JSON.stringify({ packages: packagesKey(), engine: engineDirectory(env) }));
  });
}

/** Install scripts stay off: none is needed, and tfjs-node's own would fetch a TensorFlow of 2022. @param {boolean} ci */
async function installPackages(ci) {
  const quiet = ci ? [] : ['--no-progress'];
  await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', ...quiet], {
    cwd: repositoryRoot,
    missing: 'npm was not found. It comes with Node.js (Debian: apt-get install npm)',
  });
  await writeFile(stampFile, JSON.stringify({ packages: packagesKey() }));
}
