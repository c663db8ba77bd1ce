// A checkout and a machine of their own for tests of set-up: the real scripts in a temporary folder, with a PATH that
// holds exactly the programs named, and a cache folder of its own. Nothing of the real checkout is touched.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { repositoryRoot } from '../../scripts/setup/locations.mjs';

export interface Machine {
  /** Root of the checkout. */
  readonly root: string;
  readonly cache: string;
  /** Puts a program on PATH: a link to a real one, or a shell script. */
  install(name: string, program: { readonly link: string } | { readonly script: string }): Promise<void>;
  setUp(options?: SetUpOptions): SetUpProcess;
  remove(): Promise<void>;
}

export interface SetUpOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Pretends that Node says so about itself: `versions.node`, `arch`. */
  readonly pretend?: { readonly version?: string; readonly arch?: string };
}

export interface SetUpProcess {
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<SetUpEnd>;
}

export interface SetUpEnd {
  readonly status: number | null;
  readonly output: string;
  readonly seconds: number;
}

/** `packages`: whether npm packages count as installed. */
export async function aMachine({ packages = true } = {}): Promise<Machine> {
  const root = await mkdtemp(path.join(tmpdir(), 'thaw-set-up-'));
  const [bin, cache] = [path.join(root, 'bin'), path.join(root, 'cache')];
  const scripts = path.join(repositoryRoot, 'scripts');
  await cp(path.join(scripts, 'setup'), path.join(root, 'scripts', 'setup'), { recursive: true });
  await cp(path.join(scripts, 'setup.mjs'), path.join(root, 'scripts', 'setup.mjs'));
  await writeFile(path.join(root, 'package-lock.json'), '{}');
  await mkdir(path.join(root, 'node_modules', '@tensorflow', 'tfjs-node'), { recursive: true });
  await mkdir(bin);
  if (packages) {
    const key = createHash('sha256').update('{}').update(process.versions.modules).digest('hex');
    await writeFile(path.join(root, 'node_modules', '.thaw-set-up.json'), JSON.stringify({ packages: key }));
  }
  return {
    root,
    cache,
    async install(name, program) {
      const file = path.join(bin, name);
      if ('link' in program) await symlink(program.link, file);
      else await writeFile(file, `#!/bin/sh\n${program.script}\n`, { mode: 0o755 });
    },
    setUp: ({ env, pretend } = {}) =>
      start([...preload(pretend), path.join(root, 'scripts', 'setup.mjs')], { PATH: bin, THAW_CACHE: cache, ...env }),
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

function preload({ version, arch }: SetUpOptions['pretend'] = {}): string[] {
  const code = [
    ...(version ? [`Object.defineProperty(process,'versions',{value:{...process.versions,node:'${version}'}})`] : []),
    ...(arch ? [`Object.defineProperty(process,'arch',{value:'${arch}'})`] : []),
  ];
  return code.length === 0 ? [] : ['--import', `data:text/javascript,${encodeURIComponent(code.join(';'))}`];
}

function start(args: readonly string[], env: NodeJS.ProcessEnv): SetUpProcess {
  const started = performance.now();
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const ended = new Promise<SetUpEnd>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, output, seconds: (performance.now() - started) / 1000 }));
  });
  return { kill: (signal) => void child.kill(signal), ended };
}
