// Runs a peer's program of this folder in the Python that has the peer, and takes the JSON that it prints last.

import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import type { Python } from '../support/python.ts';

/** `program`: relative to this folder. Throws what the program said when it fails. */
export async function runPeer<T>(python: Python, program: string, folder: string, options: object): Promise<T> {
  const file = path.join(folder, `${path.basename(program, '.py')}.json`);
  await writeFile(file, JSON.stringify(options));
  const stdout = await python.run(path.join(import.meta.dirname, program), [file]);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as T;
}

/** For gloo's rendezvous: free when it was asked for. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
