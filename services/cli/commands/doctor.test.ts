import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { cachedNatsServer, repositoryRoot } from '../../../scripts/setup/locations.mjs';
import { skipWithoutTensorflow } from '../../../test/support/tensorflow.ts';
import type { Check } from '../doctor/check.ts';
import { capturedWorld } from '../testing/captured-world.ts';
import { doctorCommand } from './doctor.ts';

const skip = await skipWithoutTensorflow();
let folder = '';

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'thaw-doctor-'));
});
after(() => rm(folder, { recursive: true, force: true }));

interface Findings {
  readonly ok: boolean;
  readonly parts: readonly Check[];
}

/** Runs the doctor with this environment. */
async function examine(
  env: NodeJS.ProcessEnv,
  cacheDirectory: string,
): Promise<Findings & { status: number; text: string }> {
  const world = { ...capturedWorld({ cwd: folder, cacheDirectory }), env };
  await doctorCommand(world).parseAsync(['--json'], { from: 'user' });
  const plain = { ...capturedWorld({ cwd: folder, cacheDirectory }), env };
  await doctorCommand(plain).parseAsync([], { from: 'user' });
  return { ...(JSON.parse(world.written()) as Findings), status: world.status(), text: plain.written() };
}

it('lists every part with its version where all is set up', { skip }, async () => {
  const { ok, parts, status, text } = await examine(process.env, folder);
  assert.deepEqual([ok, status, parts.filter(({ state }) => state === 'missing')], [true, 0, []]);
  const expected: readonly (readonly [string, RegExp])[] = [
    ['Node', /^20\.\d+|^2[12]\./],
    ['npm packages', /^\d+ packages, as package-lock\.json says$/],
    [
      'TensorFlow engine',
      /^tfjs-node 4\.22\.0, tensorflow 2\.\d+\.\d+, node \d+\.\d+\.\d+, sharp .*, oneDNN on, processor: /,
    ],
    ['wasm engine', /^tfjs-backend-wasm 4\.22\.0, node .*, wasm simd \w+; for jobs with engine wasm or auto$/],
    ['GPU', /./],
    ['nats-server', /^2\.\d+\.\d+ in \/.*nats-server \(needed: 2\.10 or newer\)$/],
    ['sharp', /^\d+\.\d+\.\d+, libvips \d+\.\d+/],
    ['npm', /for set-up/],
    ['python3 with pip', /for set-up/],
    ['C++ compiler', /for set-up/],
    ['make', /for set-up/],
    ['memory', /GB, .* free, /],
    ['processors', /^\d+ usable, /],
    ['cache folder', new RegExp(`^${folder}, .* free$`)],
    ['working folder', new RegExp(`^${folder}, .* free$`)],
    ['S3', /^https:\/\/s3\.us-east-1\.amazonaws\.com\/BUCKET\/KEY, no credentials: public buckets only$/],
  ];
  assert.deepEqual(
    parts.map(({ part }) => part),
    expected.map(([part]) => part),
  );
  for (const [i, [part, found]] of expected.entries()) assert.match(parts[i]?.found ?? '', found, part);
  assert.match(text, /\nok +sharp +\d/);
  assert.match(text, /\nEverything that Thaw needs is there\.\n$/);
});

it('says what to do about what is missing, and ends with status 1', async () => {
  const empty = path.join(folder, 'not', 'there');
  const { ok, parts, status, text } = await examine({ THAW_CACHE: empty, PATH: folder }, empty);
  assert.deepEqual([ok, status], [false, 1]);
  const missing = parts.filter(({ state }) => state === 'missing').map(({ part }) => part);
  assert.deepEqual(missing, ['TensorFlow engine', 'nats-server', 'npm', 'python3 with pip', 'C++ compiler', 'make']);
  for (const { advice, part } of parts.filter(({ state }) => state === 'missing')) assert.ok(advice, part);
  assert.match(text, /\nMISSING +TensorFlow engine +not built \(.*not\/there.*\)\n +run any other command of \.\/thaw/);
  assert.match(text, /\nok +cache folder .*not\/there \(not there yet\), .* free\n/);
  assert.match(text, /\n6 parts missing\.\n$/);
});

it('takes a machine without TensorFlow for whole where it is to go without', async () => {
  const env = { THAW_CACHE: path.join(folder, 'without'), PATH: process.env.PATH, THAW_WITHOUT_TENSORFLOW: '1' };
  const { parts } = await examine(env, folder);
  const engine = parts.find(({ part }) => part === 'TensorFlow engine');
  assert.deepEqual(
    [engine?.state, engine?.found, engine?.advice],
    ['note', 'none: THAW_WITHOUT_TENSORFLOW is 1', 'jobs with trainers.engine wasm or auto run without it'],
  );
});

it('survives an engine that takes down whoever loads it', { skip }, async () => {
  const { parts, status } = await examine({ ...process.env, NODE_OPTIONS: '--require /no/such/module.cjs' }, folder);
  const engine = parts.find(({ part }) => part === 'TensorFlow engine');
  assert.deepEqual([engine?.state, status], ['missing', 1]);
  assert.match(engine?.found ?? '', /^does not load: the process that runs the model ended with exit code 1/);
  assert.match(engine?.advice ?? '', /^remove \/.*\/engine\//);
});

it('tells a nats-server that does not run from one that is not there', async () => {
  const env = { THAW_CACHE: path.join(folder, 'broken'), PATH: folder };
  await mkdir(path.dirname(cachedNatsServer(env)), { recursive: true });
  await writeFile(cachedNatsServer(env), 'no program');
  const { parts } = await examine(env, env.THAW_CACHE);
  const nats = parts.find(({ part }) => part === 'nats-server');
  assert.deepEqual([nats?.state, nats?.found], ['missing', `${cachedNatsServer(env)} does not run`]);
});

describe('./thaw doctor', () => {
  /** The script in a checkout where nothing is installed, with only these programs. */
  async function bareCheckout(
    programs: Readonly<Record<string, string | null>>,
  ): Promise<{ file: string; env: NodeJS.ProcessEnv }> {
    const root = await mkdtemp(path.join(folder, 'checkout-'));
    for (const name of ['thaw', 'scripts/setup', 'package.json', 'package-lock.json']) {
      await cp(path.join(repositoryRoot, name), path.join(root, name), { recursive: true });
    }
    const bin = path.join(root, 'bin');
    await mkdir(bin);
    await symlink('/usr/bin/dirname', path.join(bin, 'dirname'));
    for (const [name, text] of Object.entries(programs)) {
      if (text === null) await symlink(process.execPath, path.join(bin, name));
      else await writeFile(path.join(bin, name), text);
      if (text !== null) await chmod(path.join(bin, name), 0o755);
    }
    return { file: path.join(root, 'thaw'), env: { PATH: bin, THAW_CACHE: path.join(root, 'cache') } };
  }

  it('says in plain words what is missing where nothing is installed, and installs nothing', async () => {
    const { file, env } = await bareCheckout({ node: null, make: '#!/bin/sh\necho "Make 4.3"\n' });
    const { code, stdout, stderr } = await runScript(file, env);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /^thaw doctor: nothing is installed yet\. `\.\/thaw --version` sets everything up/);
    assert.match(stderr, /\n {2}MISSING {2}npm +not found\. It comes with Node\.js/);
    assert.match(stderr, /\n {2}MISSING {2}python3 with pip +not found\. Debian: apt-get install python3-pip/);
    assert.match(stderr, /\n {2}ok {7}make +Make 4\.3\n/);
  });

  it('says so where Node is missing, or far too old', async () => {
    const without = await bareCheckout({});
    assert.match(
      (await runScript(without.file, without.env)).stderr,
      /^thaw: Node\.js was not found\. Install version 20\.19/,
    );
    const old = await bareCheckout({ node: '#!/bin/sh\necho v16.20.2\n' });
    const { code, stderr } = await runScript(old.file, old.env);
    assert.deepEqual([code, stderr.startsWith('thaw: found Node.js v16.20.2. Install version 20.19')], [1, true]);
  });

  it('runs where set-up fails, as soon as the packages are there', { skip }, async () => {
    const { file, env } = await bareCheckout({ node: null });
    const root = path.dirname(file);
    await writeFile(path.join(root, 'scripts', 'setup.mjs'), "console.error('set-up failed'); process.exit(1);");
    for (const name of ['node_modules', 'services', 'proto']) {
      await symlink(path.join(repositoryRoot, name), path.join(root, name));
    }
    assert.deepEqual(await runScript(file, env, 'schema'), { code: 1, stdout: '', stderr: 'set-up failed\n' });
    const { code, stdout, stderr } = await runScript(file, env);
    assert.deepEqual([code, stderr], [1, '']);
    assert.match(stdout, /\nMISSING +TensorFlow engine +not built/);
  });
});

function runScript(
  file: string,
  env: NodeJS.ProcessEnv,
  command = 'doctor',
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', [file, command], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (text) => {
      stdout += text;
    });
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}
