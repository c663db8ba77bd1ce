// `npm run check`: every check that is no test of behaviour. All run, even when one fails; what a failed one printed is
// shown under its name, and the exit status is 1.

import { spawn } from 'node:child_process';
import path from 'node:path';
import { repositoryRoot } from './setup/locations.mjs';

/** Paths of the programs that npm installed, so that none is looked for on PATH. */
const modules = path.join(repositoryRoot, 'node_modules');
const tsx = ['--import', 'tsx'];

const steps = [
  { name: 'types', args: [path.join(modules, 'typescript', 'bin', 'tsc'), '--noEmit', '-p', repositoryRoot] },
  {
    name: 'lint and format',
    args: [path.join(modules, '@biomejs', 'biome', 'bin', 'biome'), 'check', '--error-on-warnings'],
  },
  { name: 'generated files', args: [...tsx, path.join('scripts', 'generate.ts'), '--check'] },
  { name: 'tidy rules', args: [...tsx, '--test', '--test-reporter=dot', path.join('test', 'tidy.test.ts')] },
];

/** @param {string[]} args @returns {Promise<{ ok: boolean, output: string }>} */
function runNode(args) {
  // A test run that starts another one marks its children; theirs must print what they find, not report it upwards.
  const { NODE_TEST_CONTEXT: _marked, ...env } = process.env;
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: repositoryRoot, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const take = (data) => {
      output += data;
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', (error) => resolve({ ok: false, output: error.message }));
    child.on('close', (code, signal) => resolve({ ok: code === 0, output: signal ? `${output}${signal}\n` : output }));
  });
}

let failed = 0;
for (const { name, args } of steps) {
  const start = performance.now();
  const { ok, output } = await runNode(args);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  process.stdout.write(`check: ${name}: ${ok ? 'fine' : 'FAILED'} (${seconds} s)\n`);
  if (ok) continue;
  failed += 1;
  process.stdout.write(`${output.trimEnd()}\n`);
}
if (failed > 0) {
  process.stdout.write(`check: ${failed} of ${steps.length} failed\n`);
  process.exitCode = 1;
}
