// Runs one outside program for set-up, quietly: its output is shown only when it fails.

import { spawn } from 'node:child_process';

/** Something that the user has to change; its message is all they see. */
export class SetupError extends Error {}

const outputLinesShown = 10;

/** Programs that run now. Each leads a process group, so that what it started ends with it. */
const running = new Set();

const signals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

/** @param {NodeJS.Signals} signal */
function endAll(signal) {
  for (const child of running) endGroup(child);
  process.exit(signals[signal]);
}

/** Signals are ours only while a program runs. @param {import('node:child_process').ChildProcess} child */
function started(child) {
  if (running.size === 0) for (const signal of Object.keys(signals)) process.on(signal, endAll);
  running.add(child);
}

/** @param {import('node:child_process').ChildProcess} child */
function ended(child) {
  running.delete(child);
  if (running.size === 0) for (const signal of Object.keys(signals)) process.off(signal, endAll);
}

/** @param {import('node:child_process').ChildProcess} child */
function endGroup(child) {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, missing?: string }} options `missing`: said when there is no such program
 * @returns {Promise<string>} what it wrote to stdout
 */
export function run(command, args, { cwd, env, missing } = {}) {
  return new Promise((resolve, reject) => {
    const stdio = ['ignore', 'pipe', 'pipe'];
    const child = spawn(command, args, { cwd, env: env ?? process.env, stdio, detached: true });
    started(child);
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
      ended(child);
      reject(new SetupError(missing ?? `${command} could not be started: ${error.message}`));
    });
    child.on('close', (code, signal) => {
      ended(child);
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
