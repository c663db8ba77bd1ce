// PyTorch's gloo all-reduce on this machine, as the peer that the benchmark's ratios name.

import { fileURLToPath } from 'node:url';
import type { Python } from '../support/python.ts';

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

export async function runGloo(python: Python, options: GlooOptions): Promise<GlooRounds[]> {
  const script = fileURLToPath(new URL('./gloo.py', import.meta.url));
  const stdout = await python.run(script, [JSON.stringify(options)]);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '[]') as GlooRounds[];
}
