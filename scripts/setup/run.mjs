// Runs one outside program for set-up, quietly: its output is shown only when it fails.

import { spawn } from 'node:child_process';

/** Something that the user has to change; its message is all they see. */
export class SetupError extends Error {}

const outputLinesShown = 10;

/**
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, missing?: string }} options `missing`: said when there is no such program
 * @returns {Promise<string>} what it wrote to stdout
 */
export function run(command, args, { cwd, env, missing } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: env ?? process.env, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let all = '';
    child.stdout.on('data', (data) => {
      stdout += data;
      all += data;
    });
    child.stderr.on('data', (data) => {
      all += data;
    });
    child.on('error', (error) => {
      reject(new SetupError(missing ?? `${command} could not be started: ${error.message}`));
    });
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(stdout);
      const lines = all.trim().split('\n');
      const cut = lines.length > 2 * outputLinesShown;
      const shown = cut ? [...lines.slice(0, outputLinesShown), '…', ...lines.slice(-outputLinesShown)] : lines;
      reject(new SetupError(`${command} ${args[0] ?? ''} failed (${signal ?? `exit ${code}`}):\n${shown.join('\n')}`));
    });
  });
}

/** Whether a program can be started at all. @param {string} command @param {string[]} args */
export async function runs(command, args) {
  return run(command, args).then(
    () => true,
    () => false,
  );
}

/**
 * Does one part of set-up and says how long it took.
 * @param {string} what @param {() => Promise<void>} work
 */
export async function timed(what, work) {
  const start = performance.now();
  process.stderr.write(`thaw set-up: ${what} …\n`);
  await work();
  process.stderr.write(`thaw set-up: ${what}: done in ${((performance.now() - start) / 1000).toFixed(1)} s\n`);
}
