// The nats-server of one local run: on a free loopback port, its files in the job's own folder, synced on every write.
// nats-server does not watch its stdin, so a line of shell stands beside it and ends it when the launcher is gone. It also
// keeps two of them from the same files, which nats-server does not do by itself.

import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { natsServerPath } from '../../../scripts/setup/locations.mjs';
import { type Child, type ChildOptions, describeExit } from './child.ts';

export interface BrokerOptions {
  /** Starts a child that is ended with the run. */
  readonly start: (options: ChildOptions) => Child;
  /** Folder of the broker's own files; made when it is not there. */
  readonly directory: string;
  readonly logFile: string;
  readonly env: NodeJS.ProcessEnv;
}

export interface Broker {
  readonly child: Child;
  /** nats://127.0.0.1:PORT */
  readonly url: string;
}

/** One that waits for its predecessor included. */
const startMilliseconds = 15_000;
const pollMilliseconds = 20;

/**
 * Runs all arguments but the first until they end, or until stdin is closed: then the launcher is gone, and the broker
 * stays a while longer, so that the others can end in order. Whoever takes the run up meanwhile waits for that end: the
 * first argument is a file that the broker keeps locked as long as it runs.
 */
const guard = `
exec 9>"$1"
shift
flock -n 9 || { echo 'the nats-server of an earlier run still has the files' >&2; flock 9 || exit; }
exec 3<&0
"$@" </dev/null &
child=$!
trap 'kill "$child"' TERM
(while read -r _; do :; done; sleep 3; kill "$child") <&3 9>&- 2>/dev/null &
watch=$!
exec 3<&-
wait "$child"
status=$?
while kill -0 "$child" 2>/dev/null; do wait "$child"; status=$?; done
kill "$watch" 2>/dev/null
exit "$status"
`;

/** Throws SetupMissing, BrokerLost, or what `start` throws. */
export async function startBroker({ start, directory, logFile, env }: BrokerOptions): Promise<Broker> {
  const file = natsServerPath(env);
  if (!file) throw new ThawError('SetupMissing', 'nats-server was not found; run `./thaw doctor`');
  await mkdir(directory, { recursive: true });
  const config = path.join(directory, 'nats.conf');
  await writeFile(config, configOf(directory, logFile));
  const ports = await mkdtemp(path.join(os.tmpdir(), 'thaw-ports-'));
  try {
    const args = ['-c', guard, 'sh', `${directory}.lock`, file, '-c', config, '--ports_file_dir', ports];
    const child = start({ name: 'nats-server', command: '/bin/sh', args, env, stderrFile: null });
    return { child, url: await urlOf(child, ports) };
  } finally {
    await rm(ports, { recursive: true, force: true });
  }
}

function configOf(directory: string, logFile: string): string {
  return [
    'host: "127.0.0.1"',
    'port: -1',
    `log_file: ${JSON.stringify(logFile)}`,
    'jetstream {',
    `  store_dir: ${JSON.stringify(path.join(directory, 'jetstream'))}`,
    '  sync_interval: always',
    '}',
    '',
  ].join('\n');
}

async function urlOf(child: Child, directory: string): Promise<string> {
  const until = performance.now() + startMilliseconds;
  while (performance.now() < until && !child.exit) {
    const [name] = await readdir(directory);
    const url = name === undefined ? null : firstUrl(await readFile(path.join(directory, name), 'utf8'));
    if (url) return url;
    await delay(pollMilliseconds);
  }
  const how = child.exit ? describeExit(child.exit) : `did not say its port within ${startMilliseconds / 1000} s`;
  await child.stop(0);
  throw new ThawError('BrokerLost', `nats-server ${how}: ${child.lastLines().join(' / ')}`);
}

/** The file is there before it is whole. */
function firstUrl(text: string): string | null {
  try {
    return (JSON.parse(text) as { nats?: string[] }).nats?.[0] ?? null;
  } catch {
    return null;
  }
}
