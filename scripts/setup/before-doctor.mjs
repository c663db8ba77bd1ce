// What stands before `./thaw doctor`: the doctor itself needs Node and the npm packages. Where these are not there, this
// says so, and what set-up would need, in plain words, and fails; otherwise it is silent. Needs Node alone.

import { existsSync } from 'node:fs';
import path from 'node:path';
import { repositoryRoot } from './locations.mjs';
import { checkNode } from './node-version.mjs';
import { setUpTools, toolVersion } from './tools.mjs';

const problem = nodeProblem() ?? packagesProblem();
if (problem !== null) {
  const lines = [`thaw doctor: ${problem}`, '', 'What set-up needs:'];
  for (const tool of setUpTools) {
    const version = await toolVersion(tool, process.env);
    const found = version === null ? `not found. ${tool.advice}` : version;
    lines.push(`  ${version === null ? 'MISSING' : 'ok     '}  ${tool.name.padEnd(16)}  ${found}`);
  }
  process.stderr.write(`${lines.join('\n')}\n`);
  process.exitCode = 1;
}

function nodeProblem() {
  try {
    checkNode(process.versions.node);
    return null;
  } catch (error) {
    return error.message;
  }
}

/** A set-up that was cut off leaves node_modules without the stamp. */
function packagesProblem() {
  const modules = path.join(repositoryRoot, 'node_modules');
  const needed = ['.thaw-set-up.json', 'tsx', 'commander'].map((name) => path.join(modules, name));
  if (needed.every((file) => existsSync(file))) return null;
  const found = existsSync(modules) ? 'the npm packages are not complete' : 'nothing is installed yet';
  return `${found}. \`./thaw --version\` sets everything up: npm packages, the TensorFlow engine, nats-server.`;
}
