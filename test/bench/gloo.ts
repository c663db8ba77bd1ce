// PyTorch's gloo all-reduce on this machine, as the peer that the benchmark's ratios name; null without torch.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export interface GlooResult {
  readonly members: number;
  readonly megabytes: number;
  readonly gigabytesPerSecond: number;
}

export interface GlooOptions {
  readonly members: readonly number[];
  readonly megabytes: readonly number[];
  readonly seconds: number;
}

const run = promisify(execFile);

/** THAW_PYTHON names another python3. */
export async function runGloo(options: GlooOptions): Promise<GlooResult[] | null> {
  const python = process.env.THAW_PYTHON ?? 'python3';
  try {
    await run(python, ['-c', 'import torch.distributed']);
  } catch {
    return null;
  }
  const script = fileURLToPath(new URL('./gloo.py', import.meta.url));
  const { stdout } = await run(python, [script, JSON.stringify(options)], { maxBuffer: 1 << 24 });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '[]') as GlooResult[];
}
