// `npm run bench -- NAME`: runs one benchmark, prints its table and writes it to bench/results/NAME.json.
// Options, the first three of allreduce: --members 2,4 --megabytes 1,4,16,64 --seconds 1 --passes 3

import { mkdir, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { repositoryRoot } from '../../scripts/setup/locations.mjs';
import { type AllreduceOptions, benchAllreduce } from './allreduce.ts';
import { benchEngines } from './engines.ts';

const benchmarks = { allreduce: benchAllreduce, engines: benchEngines } as const;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    members: { type: 'string', default: '2,4' },
    megabytes: { type: 'string', default: '1,4,16,64' },
    seconds: { type: 'string', default: '1' },
    passes: { type: 'string', default: '3' },
  },
});
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const name = positionals[0] ?? '';

if (!(name in benchmarks)) {
  print(`no benchmark "${name}"; there is: ${Object.keys(benchmarks).join(', ')}`);
  process.exitCode = 2;
} else {
  const numbers = (text: string): number[] => text.split(',').map(Number);
  const options: AllreduceOptions = {
    members: numbers(values.members),
    megabytes: numbers(values.megabytes),
    seconds: Number(values.seconds),
    passes: Number(values.passes),
  };
  const results = await benchmarks[name as keyof typeof benchmarks](options, print);
  const directory = path.join(repositoryRoot, 'bench', 'results');
  await mkdir(directory, { recursive: true });
  const machine = { cpu: os.cpus()[0]?.model ?? 'unknown', cores: os.availableParallelism(), node: process.version };
  const file = path.join(directory, `${name}.json`);
  await writeFile(file, `${JSON.stringify({ benchmark: name, machine, options, results }, null, 2)}\n`);
  print(`written to ${path.relative(process.cwd(), file)}`);
}
