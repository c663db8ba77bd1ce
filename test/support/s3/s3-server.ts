// A real S3 server (moto) on a free loopback port for one test file: it verifies signatures and permissions.

import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { S3Environment } from '@thaw/common/environment/s3-environment.ts';
import { pythonWith } from '../python.ts';

export interface S3Server {
  readonly endpoint: string;
  /** May read every bucket. */
  readonly reader: S3Environment;
  /** Has a key, and may read none. */
  readonly stranger: S3Environment;
  stop(): Promise<void>;
}

const requirements = ['moto==5.2.5', 'flask==3.1.3', 'flask-cors==6.0.5'];

/** `objects`: by BUCKET/KEY; those of the bucket "public" may be read by everybody. A text is the reason to skip. */
export async function startS3Server(
  folder: string,
  objects: Readonly<Record<string, Uint8Array | string>>,
): Promise<S3Server | string> {
  const python = await pythonWith(requirements);
  if (typeof python === 'string') return python;
  for (const [place, content] of Object.entries(objects)) {
    await mkdir(path.dirname(path.join(folder, place)), { recursive: true });
    await writeFile(path.join(folder, place), content);
  }
  const server = python.start(fileURLToPath(new URL('serve.py', import.meta.url)), [folder]);
  const exited = once(server, 'exit');
  const [line] = await Promise.race([
    once(createInterface({ input: server.stdout }), 'line') as Promise<[string]>,
    exited.then(() => Promise.reject(new Error('the S3 server ended before it was ready'))),
  ]);
  const { port, reader, stranger } = JSON.parse(line) as Record<'reader' | 'stranger', S3Environment> & {
    port: number;
  };
  const endpoint = `http://127.0.0.1:${port}`;
  return {
    endpoint,
    reader: { ...reader, endpoint },
    stranger: { ...stranger, endpoint },
    async stop() {
      server.stdin.end();
      await exited;
    },
  };
}
