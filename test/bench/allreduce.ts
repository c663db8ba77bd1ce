// All-reduce throughput as training meets it: float gradients to float sums, with a real nats-server and a process per
// trainer, all on this machine, beside PyTorch's gloo. It goes over the sizes several times, gloo and Thaw in turn, so
// that a busy minute does not fall on one of them. It does not measure a network.

import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { natsServerFile, startNatsServer } from '../support/nats-server.ts';
import { torchPython } from '../support/torch.ts';
import type { Answer, MemberOptions, Order } from './allreduce-member.ts';
import type { BenchmarkOptions, Print } from './benchmark.ts';
import { runGloo } from './gloo.ts';
import { type Spread, spreadOf } from './spread.ts';

export interface AllreduceResult {
  readonly members: number;
  readonly megabytes: number;
  readonly rounds: number;
  /** Of a round, as long as the slowest member took. */
  readonly milliseconds: Spread;
  /** Gradient bytes of one member / median time, 10^9 bytes a second. */
  readonly gigabytesPerSecond: number;
  /** Processor time for each gigabyte of gradient: the broker's, and one member's. */
  readonly brokerCpuSecondsPerGigabyte: number;
  readonly memberCpuSecondsPerGigabyte: number;
  readonly glooMilliseconds: Spread;
  /** Thaw's throughput over gloo's, by the medians. */
  readonly ratioToGloo: number;
}

const bytesPerMegabyte = 1e6;
/** From these follows how many make up the wanted time. */
const firstRounds = 5;
/** Linux counts CPU time in these a second. */
const ticksPerSecond = 100;

/** What all passes measured of one size and number of members. */
interface Measured {
  readonly members: number;
  readonly megabytes: number;
  readonly milliseconds: number[];
  readonly glooMilliseconds: number[];
  brokerCpuSeconds: number;
  memberCpuSeconds: number;
}

export async function benchAllreduce(
  { members: memberCounts = [2, 4], megabytes: sizes = [1, 4, 16, 64], seconds = 1, passes = 3 }: BenchmarkOptions,
  print: Print,
): Promise<AllreduceResult[]> {
  const python = await torchPython();
  if (typeof python === 'string') throw new Error(python);
  const file = natsServerFile();
  if (!file) throw new Error('nats-server is missing: run ./thaw once, which sets it up');
  const table = memberCounts.flatMap((members) =>
    sizes.map((megabytes): Measured => {
      const none = { milliseconds: [], glooMilliseconds: [], brokerCpuSeconds: 0, memberCpuSeconds: 0 };
      return { members, megabytes, ...none };
    }),
  );
  const server = await startNatsServer(file);
  try {
    for (let pass = 1; pass <= passes; pass++) {
      const gloo = await runGloo(python, { members: memberCounts, megabytes: sizes, seconds });
      for (const { members, megabytes, milliseconds } of gloo) {
        const row = table.find((found) => found.members === members && found.megabytes === megabytes);
        row?.glooMilliseconds.push(...milliseconds);
      }
      for (const members of memberCounts) {
        const rows = table.filter((row) => row.members === members);
        await measure(rows, seconds, { url: server.url, pid: server.pid, members });
      }
      print(`pass ${pass} of ${passes}`);
    }
  } finally {
    await server.stop();
  }
  const results = table.map(resultOf);
  for (const line of [header, ...results.map(lineOf)]) print(line);
  return results;
}

interface Broker {
  readonly url: string;
  readonly pid: number;
  readonly members: number;
}

/** One pass over the sizes of one number of members; adds what it measures to the rows. */
async function measure(rows: readonly Measured[], seconds: number, { url, pid, members }: Broker): Promise<void> {
  const children = Array.from({ length: members }, (_, self) => startMember({ natsUrl: url, self, members }));
  try {
    await Promise.all(children.map(answer));
    for (const [i, row] of rows.entries()) {
      const elements = (row.megabytes * bytesPerMegabyte) / 4;
      await tell(children, { kind: 'open', generation: i + 1, elements });
      const first = slowest(await tell(children, { kind: 'rounds', firstStep: 1, rounds: firstRounds }));
      const rounds = Math.max(3, Math.ceil((seconds * 1000) / spreadOf(first).median));
      // As long again before it counts: a trainer takes thousands of steps, and V8 compiles in the first ones.
      await tell(children, { kind: 'rounds', firstStep: firstRounds + 1, rounds });
      const firstStep = firstRounds + rounds + 1;
      const before = { broker: cpuSeconds([pid]), members: cpuSeconds(children.map(pidOf)) };
      row.milliseconds.push(...slowest(await tell(children, { kind: 'rounds', firstStep, rounds })));
      row.brokerCpuSeconds += cpuSeconds([pid]) - before.broker;
      row.memberCpuSeconds += (cpuSeconds(children.map(pidOf)) - before.members) / members;
      const digests = new Set((await tell(children, { kind: 'digest' })).map(({ digest }) => digest));
      if (digests.size !== 1) throw new Error(`members hold different sums: ${[...digests]}`);
    }
    for (const child of children) child.send({ kind: 'end' });
    await Promise.all(children.map((child) => new Promise((resolve) => child.once('exit', resolve))));
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
}

function startMember(options: MemberOptions): ChildProcess {
  const file = fileURLToPath(new URL('./allreduce-member.ts', import.meta.url));
  return fork(file, [JSON.stringify(options)], { execArgv: ['--import', 'tsx'] });
}

function pidOf({ pid }: ChildProcess): number {
  return pid ?? 0;
}

function answer(child: ChildProcess): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const exited = (code: number | null): void => reject(new Error(`a member ended with ${code}`));
    child.once('exit', exited);
    child.once('message', (message: Answer) => {
      child.off('exit', exited);
      resolve(message);
    });
  });
}

async function tell(children: readonly ChildProcess[], order: Order): Promise<Answer[]> {
  const answers = Promise.all(children.map(answer));
  for (const child of children) child.send(order);
  return answers;
}

/** Milliseconds of each round by its slowest member. */
function slowest(answers: readonly Answer[]): number[] {
  const [first] = answers;
  return (first?.milliseconds ?? []).map((_, round) =>
    Math.max(...answers.map(({ milliseconds }) => milliseconds[round] ?? 0)),
  );
}

function cpuSeconds(pids: readonly number[]): number {
  const ticks = pids.map((pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return Number(fields[11]) + Number(fields[12]);
  });
  return ticks.reduce((total, of) => total + of, 0) / ticksPerSecond;
}

function resultOf(measured: Measured): AllreduceResult {
  const { members, megabytes, brokerCpuSeconds, memberCpuSeconds } = measured;
  const rounds = measured.milliseconds.length;
  const milliseconds = spreadOf(measured.milliseconds);
  const glooMilliseconds = spreadOf(measured.glooMilliseconds);
  const gigabytes = (rounds * megabytes * bytesPerMegabyte) / 1e9;
  return {
    members,
    megabytes,
    rounds,
    milliseconds,
    gigabytesPerSecond: megabytes / milliseconds.median,
    brokerCpuSecondsPerGigabyte: brokerCpuSeconds / gigabytes,
    memberCpuSecondsPerGigabyte: memberCpuSeconds / gigabytes,
    glooMilliseconds,
    ratioToGloo: glooMilliseconds.median / milliseconds.median,
  };
}

const header =
  'trainers     MB   rounds       ms   (10 % to 90 %)    GB/s   CPU s/GB: broker  member   gloo ms   / gloo';

function lineOf(result: AllreduceResult): string {
  const { median, low, high } = result.milliseconds;
  const columns = [
    String(result.members).padStart(8),
    String(result.megabytes).padStart(6),
    String(result.rounds).padStart(8),
    median.toFixed(1).padStart(8),
    `(${low.toFixed(1)} to ${high.toFixed(1)})`.padStart(17),
    result.gigabytesPerSecond.toFixed(3).padStart(7),
    result.brokerCpuSecondsPerGigabyte.toFixed(2).padStart(18),
    result.memberCpuSecondsPerGigabyte.toFixed(2).padStart(7),
    result.glooMilliseconds.median.toFixed(1).padStart(9),
    result.ratioToGloo.toFixed(2).padStart(8),
  ];
  return columns.join(' ');
}
