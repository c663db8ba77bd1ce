// A real nats-server on a free loopback port for one test or benchmark, with nothing stored. Which binary it is, set-up
// decides.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { natsServerPath } from '../../scripts/setup/locations.mjs';

export interface NatsServer {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

const startMilliseconds = 10_000;

/** The pinned nats-server; null when set-up has not run. */
export function natsServerFile(): string | null {
  return natsServerPath(process.env);
}

/** `flags` are passed on, such as ["--auth", "secret"]. */
export async function startNatsServer(file: string, flags: readonly string[] = []): Promise<NatsServer> {
  const directory = await mkdtemp(path.join(tmpdir(), 'thaw-nats-'));
  const server = spawn(file, ['-a', '127.0.0.1', '-p', '-1', '--ports_file_dir', directory, ...flags], {
    stdio: 'ignore',
  });
  const exited = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    server.kill('SIGKILL');
    await exited;
    await rm(directory, { recursive: true, force: true });
  };
  const pid = server.pid ?? 0;
  try {
    const url = await portsOf(server, path.join(directory, `${path.basename(file)}_${pid}.ports`));
    return { url, pid, stop };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

async function portsOf(server: ChildProcess, file: string): Promise<string> {
  const until = performance.now() + startMilliseconds;
  while (performance.now() < until && server.exitCode === null) {
    const text = await readFile(file, 'utf8').catch(() => '');
    const [url] = text.trimEnd().endsWith('}') ? (JSON.parse(text) as { nats: string[] }).nats : [];
    if (url) return url;
    await delay(20);
  }
  throw new Error(`nats-server did not say its port within ${startMilliseconds} ms (exit code ${server.exitCode})`);
}
