// PyTorch's gloo all-reduce on this machine, as the peer that the benchmark's ratios name; null without torch.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export interface GlooRounds {
  readonly members: number;
  readonly megabytes: number;
  /** Of each round, as long as the slowest member took. */
  readonly milliseconds: readonly number[];
}

export interface GlooOptions {
  readonly members: readonly number[];
  readonly megabytes: readonly number[];
  readonly seconds: number;
}

const run = promisify(execFile);
const outputBytesMax = 1 << 26;

/** THAW_PYTHON names another python3. */
export async function runGloo(options: GlooOptions): Promise<GlooRounds[] | null> {
  const python = process.env.THAW_PYTHON ?? 'python3';
  try {
    await run(python, ['-c', 'import torch.distributed']);
  } catch {
    return null;
  }
  const script = fileURLToPath(new URL('./gloo.py', import.meta.url));
  const { stdout } = await run(python, [script, JSON.stringify(options)], { maxBuffer: outputBytesMax });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '[]') as GlooRounds[];
}
