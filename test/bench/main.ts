// `npm run bench -- NAME`: runs one benchmark, prints its table and writes it to bench/results/NAME.json. Options make it
// smaller or larger; each benchmark has its own defaults for those that it takes:
//   allreduce       --members 2,4 --megabytes 1,4,16,64 --seconds 1 --passes 3
//   engines         --passes 3
//   epoch-time      --images 256 --sizes 224 --epochs 4
//   forgetting      --images 24 --sizes 96 --epochs 6 --passes 3 (seeds)
//   time-to-result  --images 256 --networks vgg16,mobilenetV2 --sizes 96,224 --epochs 10 --workers 1
//   step            --networks vgg16,mobilenetV2 --sizes 96,224 --steps 10

import { mkdir, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { repositoryRoot } from '../../scripts/setup/locations.mjs';
import { benchAllreduce } from './allreduce.ts';
import type { BenchmarkOptions, Print } from './benchmark.ts';
import { benchEngines } from './engines.ts';
import { benchEpochTime } from './epoch-time.ts';
import { benchForgetting } from './forgetting.ts';
import { benchStep } from './step.ts';
import { benchTimeToResult } from './time-to-result.ts';

type Benchmark = (options: BenchmarkOptions, print: Print) => Promise<readonly object[]>;

const benchmarks: ReadonlyMap<string, Benchmark> = new Map<string, Benchmark>([
  ['allreduce', benchAllreduce],
  ['engines', benchEngines],
  ['epoch-time', benchEpochTime],
  ['forgetting', benchForgetting],
  ['time-to-result', benchTimeToResult],
  ['step', benchStep],
]);

const text = { type: 'string' } as const;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ...{ members: text, megabytes: text, seconds: text, passes: text },
    ...{ images: text, sizes: text, networks: text, epochs: text, steps: text, workers: text },
  },
});
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const [name = ''] = positionals;
const run = benchmarks.get(name);

if (!run) {
  print(`no benchmark "${name}"; there is: ${[...benchmarks.keys()].join(', ')}`);
  process.exitCode = 2;
} else {
  const options = optionsGiven();
  const results = await run(options, print);
  const directory = path.join(repositoryRoot, 'bench', 'results');
  await mkdir(directory, { recursive: true });
  const machine = { cpu: os.cpus()[0]?.model ?? 'unknown', cores: os.availableParallelism(), node: process.version };
  const file = path.join(directory, `${name}.json`);
  await writeFile(file, `${JSON.stringify({ benchmark: name, machine, options, results }, null, 2)}\n`);
  print(`written to ${path.relative(process.cwd(), file)}`);
}

function optionsGiven(): BenchmarkOptions {
  const number = (given: string | undefined): number | undefined => (given === undefined ? undefined : Number(given));
  const list = (given: string | undefined): string[] | undefined => given?.split(',');
  return {
    ...{ images: number(values.images), sizes: list(values.sizes)?.map(Number), networks: list(values.networks) },
    ...{ epochs: number(values.epochs), steps: number(values.steps), workers: number(values.workers) },
    ...{ members: list(values.members)?.map(Number), megabytes: list(values.megabytes)?.map(Number) },
    ...{ seconds: number(values.seconds), passes: number(values.passes) },
  };
}
