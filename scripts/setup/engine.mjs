// The TensorFlow engine: the addon of @tensorflow/tfjs-node, unmodified, built on the C library of a pinned PyPI wheel.
// It is kept in the cache folder and linked into node_modules, so that `npm ci` costs no rebuild.

import { existsSync, realpathSync, statSync } from 'node:fs';
import { cp, mkdir, rename, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { engineDirectory, platformName, repositoryRoot } from './locations.mjs';
import { tensorflow } from './pins.mjs';
import { run, runs, SetupError } from './run.mjs';
import { fetchWheel, unpack } from './wheel.mjs';

const addonPackage = path.join(repositoryRoot, 'node_modules', '@tensorflow', 'tfjs-node');
const parts = ['deps', 'lib'];

const addon = path.join('lib', 'napi-v8', 'tfjs_binding.node');

/**
 * Why this machine goes without the TensorFlow engine, and trains with engine wasm; null where it is to be there.
 * @param {NodeJS.ProcessEnv} env
 */
export function withoutEngine(env) {
  if (env.THAW_WITHOUT_TENSORFLOW === '1') return 'THAW_WITHOUT_TENSORFLOW is 1';
  const platforms = Object.keys(tensorflow.wheels);
  if (platforms.includes(platformName())) return null;
  const { package: name, version } = tensorflow;
  return `there is no ${name} ${version} wheel for ${platformName()}; there is one for ${platforms.join(', ')}`;
}

/** Whether all files are there and whole: the libraries have the sizes that the pinned wheel gives them. @param {NodeJS.ProcessEnv} env */
export function engineIsBuilt(env) {
  const directory = engineDirectory(env);
  const libraries = Object.entries(tensorflow.wheels[platformName()]?.libraryBytes ?? {});
  const areWhole = libraries.every(([name, bytes]) => sizeOf(path.join(directory, 'deps', 'lib', name)) === bytes);
  return areWhole && sizeOf(path.join(directory, addon)) > 0;
}

/** 0 where there is no such file. @param {string} file */
function sizeOf(file) {
  try {
    return statSync(file).size;
  } catch {
    return 0;
  }
}

/** Whether node_modules leads to this engine and no other. */
export function engineIsLinked(env = process.env) {
  return parts.every((part) => isLinked(part, env));
}

/** By the real paths: a cache folder may itself hold a link to the engine. @param {string} part @param {NodeJS.ProcessEnv} env */
function isLinked(part, env) {
  try {
    return realpathSync(path.join(addonPackage, part)) === realpathSync(path.join(engineDirectory(env), part));
  } catch {
    return false;
  }
}

/** @param {NodeJS.ProcessEnv} env */
export async function buildEngine(env) {
  await checkCompiler();
  const target = engineDirectory(env);
  const work = `${target}.part`;
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  const wheel = await fetchWheel(tensorflow, path.join(work, 'wheel'));
  await unpackLibrary(wheel, work);
  for (const name of ['binding', 'binding.gyp', 'package.json']) {
    await cp(path.join(addonPackage, name), path.join(work, name), { recursive: true });
  }
  const preGyp = path.join(repositoryRoot, 'node_modules', '@mapbox', 'node-pre-gyp', 'bin', 'node-pre-gyp');
  await run(process.execPath, [preGyp, 'install', '--build-from-source'], { cwd: work, env: withHeaders(env) });
  for (const name of [
    'wheel',
    'unpacked',
    'build',
    'build-tmp-napi-v8',
    'binding',
    'binding.gyp',
    'package.json',
    'deps/include',
  ]) {
    await rm(path.join(work, name), { recursive: true, force: true });
  }
  await run(process.execPath, ['-e', 'require(process.argv[1])', path.join(work, addon)], { env });
  await rm(target, { recursive: true, force: true });
  await rename(work, target);
}

/**
 * Leaves a right link alone: a running trainer may be about to follow it. A new one leads to the engine itself, because a
 * cache folder that only holds a link to it, a test's say, may go before the engine does.
 * @param {NodeJS.ProcessEnv} env
 */
export async function linkEngine(env) {
  for (const part of parts) {
    if (isLinked(part, env)) continue;
    const link = path.join(addonPackage, part);
    await rm(link, { recursive: true, force: true });
    await symlink(realpathSync(path.join(engineDirectory(env), part)), link);
  }
}

async function checkCompiler() {
  for (const [program, what] of [
    ['g++', 'a C++ compiler (g++)'],
    ['make', 'make'],
  ]) {
    if (await runs(program, ['--version'])) continue;
    throw new SetupError(
      `building the TensorFlow engine needs ${what}, which was not found. Debian: apt-get install g++ make; Fedora: dnf install gcc-c++ make. Or set THAW_WITHOUT_TENSORFLOW=1, and train with engine wasm`,
    );
  }
}

/** @param {string} wheel @param {string} work */
async function unpackLibrary(wheel, work) {
  const unpacked = path.join(work, 'unpacked');
  await unpack(wheel, unpacked, [
    'tensorflow/libtensorflow_cc.so.2',
    'tensorflow/libtensorflow_framework.so.2',
    'tensorflow/include/tensorflow/c/',
    'tensorflow/include/tensorflow/core/platform/',
    'tensorflow/include/tsl/',
    'tensorflow/include/xla/tsl/',
  ]);
  const libraries = path.join(work, 'deps', 'lib');
  await mkdir(libraries, { recursive: true });
  await rename(path.join(unpacked, 'tensorflow', 'include'), path.join(work, 'deps', 'include'));
  for (const [library, link] of [
    ['libtensorflow_cc.so.2', 'libtensorflow.so'],
    ['libtensorflow_framework.so.2', 'libtensorflow_framework.so'],
  ]) {
    await rename(path.join(unpacked, 'tensorflow', library), path.join(libraries, library));
    await symlink(library, path.join(libraries, link));
  }
}

/** Node's headers beside the running node save a download. @param {NodeJS.ProcessEnv} env */
function withHeaders(env) {
  const prefix = path.dirname(path.dirname(process.execPath));
  return existsSync(path.join(prefix, 'include', 'node', 'node.h')) ? { ...env, npm_config_nodedir: prefix } : env;
}
