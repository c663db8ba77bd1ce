// `npm run sim -- --seed N [--runs K] [--verbose]`: runs K seeds from N on. Prints how many a minute and which faults there
// were; the first run that fails is shown with its faults and its last events, and ends it with status 1.

import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { type Run, simulate } from './simulate.ts';

const { values } = parseArgs({
  options: { seed: { type: 'string' }, runs: { type: 'string', default: '1' }, verbose: { type: 'boolean' } },
});
const print = (line: string): void => void process.stdout.write(`${line}\n`);

const first = values.seed === undefined ? Date.now() % 2 ** 32 : Number(values.seed);
const runs = Number(values.runs);
if (!Number.isInteger(first) || first < 0 || !Number.isInteger(runs) || runs < 1) {
  print(`found --seed ${values.seed} --runs ${values.runs}; expected whole numbers, 0 or more and 1 or more`);
  process.exitCode = 2;
} else {
  process.exitCode = runAll();
}

function runAll(): number {
  print(`seeds ${first} to ${first + runs - 1} at ${commit()}`);
  const started = performance.now();
  const faults = new Map<string, number>();
  for (let seed = first; seed < first + runs; seed++) {
    const run = simulate(seed, values.verbose ? { print } : {});
    for (const [kind, count] of run.journal.faults) faults.set(kind, (faults.get(kind) ?? 0) + count);
    if (run.failure !== null) {
      tellFailure(run);
      return 1;
    }
  }
  const seconds = (performance.now() - started) / 1000;
  print(`${runs} runs in ${seconds.toFixed(1)} s, ${Math.round((60 * runs) / seconds)} seeds a minute`);
  for (const [kind, count] of faults) print(`  ${kind}: ${count}`);
  return 0;
}

function tellFailure({ seed, failure, journal }: Run): void {
  print(`faults:\n${journal.faultLines.join('\n')}`);
  print(`last events:\n${journal.newest.join('\n')}`);
  print(`SEED=${seed} at ${commit()}: ${failure}`);
}

function commit(): string {
  return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
}
