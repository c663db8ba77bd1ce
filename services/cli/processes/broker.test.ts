// A launcher that is killed, and another that starts on the same files at once: real processes.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, it } from 'node:test';
import { natsServerPath } from '../../../scripts/setup/locations.mjs';
import { startBroker } from './broker.ts';
import { startChild } from './child.ts';

const skip = natsServerPath(process.env) ? false : 'nats-server is missing: run ./thaw doctor';

let folder = '';
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'thaw-broker-'));
});
after(() => rm(folder, { recursive: true, force: true }));

const options = () => ({
  start: startChild,
  directory: path.join(folder, 'broker'),
  logFile: path.join(folder, 'log'),
  env: process.env,
});

/** Says the address of its broker and stays. */
const launcher = (): string => {
  const { start: _, ...plain } = options();
  const modules = ['./broker.ts', './child.ts'].map((file) => JSON.stringify(new URL(file, import.meta.url).href));
  return `
    const { startBroker } = await import(${modules[0]});
    const { startChild } = await import(${modules[1]});
    const { url } = await startBroker({ ...${JSON.stringify(plain)}, start: startChild });
    console.log(url);
    setInterval(() => undefined, 1000);
  `;
};

async function isListening(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  return once(socket, 'connect')
    .then(
      () => true,
      () => false,
    )
    .finally(() => socket.destroy());
}

it('a broker begins on the files of a run whose launcher was killed only when the one before has ended', {
  skip,
}, async () => {
  const args = ['--import', 'tsx', '--input-type=module', '--eval', launcher()];
  const first = startChild({ name: 'launcher', command: process.execPath, args, env: process.env, stderrFile: null });
  const said = new Promise<string>((resolve) => first.onLine(resolve));
  const url = await Promise.race([said, first.exited.then(() => assert.fail(first.lastWords()))]);
  process.kill(first.pid, 'SIGKILL');
  await first.exited;
  const { child, url: next } = await startBroker(options());
  try {
    assert.deepEqual([await isListening(url), await isListening(next)], [false, true]);
  } finally {
    await child.stop(1000);
  }
});
