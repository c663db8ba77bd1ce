// Where set-up puts things, for set-up itself, the CLI, the doctor and the tests. Reads the environment given to it.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { natsServer, tensorflow } from './pins.mjs';

export const repositoryRoot = path.resolve(fileURLToPath(new URL('../..', import.meta.url)));

/** Absolute, because links lead there; an empty variable counts as none. @param {NodeJS.ProcessEnv} env */
export function cacheDirectory(env) {
  return path.resolve(env.THAW_CACHE || path.join(env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'thaw'));
}

export function platformName() {
  return `${process.platform}-${process.arch}`;
}

/** Folder of the built engine: holds deps/lib and lib/napi-v8. @param {NodeJS.ProcessEnv} env */
export function engineDirectory(env) {
  const abi = `node${process.versions.modules}`;
  return path.join(
    cacheDirectory(env),
    'engine',
    `tfjs-node-4.22.0_${tensorflow.package}-${tensorflow.version}_${platformName()}_${abi}`,
  );
}

/** @param {NodeJS.ProcessEnv} env */
export function cachedNatsServer(env) {
  return path.join(cacheDirectory(env), 'nats-server', `${natsServer.version}_${platformName()}`, 'nats-server');
}

/**
 * The nats-server to start: the one on PATH when it is new enough, else the one that set-up fetched, else null.
 * @param {NodeJS.ProcessEnv} env
 */
export function natsServerPath(env) {
  for (const directory of (env.PATH ?? '').split(path.delimiter)) {
    const file = path.join(directory, 'nats-server');
    if (directory !== '' && existsSync(file) && isNewEnough(natsServerVersion(file))) return file;
  }
  const cached = cachedNatsServer(env);
  return existsSync(cached) ? cached : null;
}

/** Such as "2.10.4"; null when the file does not say. @param {string} file */
export function natsServerVersion(file) {
  try {
    const output = execFileSync(file, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return /v(\d+\.\d+\.\d+)/.exec(output)?.[1] ?? null;
  } catch {
    return null;
  }
}

/** @param {string | null} version */
function isNewEnough(version) {
  if (!version) return false;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = natsServer.oldest;
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}
