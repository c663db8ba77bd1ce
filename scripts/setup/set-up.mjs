// The order of set-up, and the stamp that makes a second one instant. Each part is complete or absent: it is built
// under a temporary name and renamed, so an interrupted set-up goes on where it stopped.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { buildEngine, engineIsBuilt, engineIsLinked, linkEngine, withoutEngine } from './engine.mjs';
import { cacheDirectory, natsServerPath, natsServerVersion, repositoryRoot } from './locations.mjs';
import { withLock } from './lock.mjs';
import { fetchNatsServer } from './nats-server.mjs';
import { run, timed } from './run.mjs';

const stampFile = path.join(repositoryRoot, 'node_modules', '.thaw-set-up.json');

/** What must be unchanged for the packages in node_modules to be the right ones. */
function packagesKey() {
  const lock = readFileSync(path.join(repositoryRoot, 'package-lock.json'));
  return createHash('sha256').update(lock).update(process.versions.modules).digest('hex');
}

export function packagesAreInstalled() {
  if (!existsSync(stampFile)) return false;
  try {
    return JSON.parse(readFileSync(stampFile, 'utf8')).packages === packagesKey();
  } catch {
    return false;
  }
}

/** @param {NodeJS.ProcessEnv} env */
function isComplete(env) {
  const engineIsDone = withoutEngine(env) !== null || (engineIsBuilt(env) && engineIsLinked(env));
  return packagesAreInstalled() && engineIsDone && natsServerRuns(env);
}

/** @param {NodeJS.ProcessEnv} env */
function natsServerRuns(env) {
  const file = natsServerPath(env);
  return file !== null && natsServerVersion(file) !== null;
}

/** node_modules belongs to the checkout, engine and nats-server to a cache that other checkouts may share. */
const checkoutLockDirectory = path.join(repositoryRoot, '.cache');

/** @param {{ ci: boolean }} options */
export async function setUp({ ci }) {
  const env = process.env;
  if (isComplete(env)) return;
  await withLock(checkoutLockDirectory, async () => {
    if (!packagesAreInstalled()) await timed('npm packages', () => installPackages(ci));
    await withLock(cacheDirectory(env), () => fillCache(env));
    if (withoutEngine(env) === null) await linkEngine(env);
  });
}

/** @param {NodeJS.ProcessEnv} env */
async function fillCache(env) {
  const reason = withoutEngine(env);
  if (reason !== null) {
    process.stderr.write(
      `thaw set-up: no TensorFlow engine (${reason}): jobs with trainers.engine wasm or auto run without it, slower\n`,
    );
  } else if (!engineIsBuilt(env)) {
    await timed('TensorFlow engine (fetching 270 MB, then about a minute of compiling)', () => buildEngine(env));
  }
  if (!natsServerRuns(env)) await timed('nats-server', () => fetchNatsServer(env));
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
