// `npm run bench -- allreduce`: gigabytes a second from float gradients to float sums, with a real nats-server and a
// process per trainer, all on this machine, beside PyTorch's gloo where Python has torch. It does not measure a network.

import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { natsServerFile, startNatsServer } from '../support/nats-server.ts';
import type { MemberOptions, Order } from './allreduce-member.ts';
import { type GlooResult, runGloo } from './gloo.ts';

export interface AllreduceResult {
  readonly members: number;
  readonly megabytes: number;
  readonly rounds: number;
  readonly milliseconds: number;
  /** Gradient bytes of one member / wall time, 10^9 bytes a second. */
  readonly gigabytesPerSecond: number;
  /** CPU seconds of the broker for each gigabyte of gradient. */
  readonly brokerCpuSecondsPerGigabyte: number;
  /** This over gloo at the same size and members on this machine; null without torch. */
  readonly ratioToGloo: number | null;
}

export interface AllreduceOptions {
  readonly members: readonly number[];
  readonly megabytes: readonly number[];
  /** Seconds of measured rounds for each size; default 2. */
  readonly seconds: number;
}

const bytesPerMegabyte = 1e6;
/** Linux counts CPU time in these a second. */
const ticksPerSecond = 100;

export async function benchAllreduce(
  options: AllreduceOptions,
  print: (line: string) => void,
): Promise<AllreduceResult[]> {
  const file = natsServerFile();
  if (!file) throw new Error('nats-server is missing: run ./thaw once, which sets it up');
  const gloo = await runGloo(options);
  print(gloo ? 'beside PyTorch gloo on this machine' : 'PyTorch is not importable by python3: no ratios');
  print('trainers     MB   rounds       ms    GB/s  broker CPU s/GB   / gloo');
  const results: AllreduceResult[] = [];
  const server = await startNatsServer(file);
  try {
    for (const members of options.members) {
      for (const result of await benchMembers(options, { url: server.url, pid: server.pid, members })) {
        const compared = { ...result, ratioToGloo: ratio(result, gloo) };
        results.push(compared);
        print(row(compared));
      }
    }
  } finally {
    await server.stop();
  }
  return results;
}

interface Bench {
  readonly url: string;
  readonly pid: number;
  readonly members: number;
}

async function benchMembers(options: AllreduceOptions, { url, pid, members }: Bench): Promise<AllreduceResult[]> {
  const children = Array.from({ length: members }, (_, self) => startMember({ natsUrl: url, self, members }));
  const results: AllreduceResult[] = [];
  try {
    await Promise.all(children.map(answer));
    for (const [i, megabytes] of options.megabytes.entries()) {
      const bytes = megabytes * bytesPerMegabyte;
      await tell(children, { kind: 'open', generation: i + 1, elements: bytes / 4 });
      const warm = await timed(children, { kind: 'rounds', firstStep: 1, rounds: 5 });
      const rounds = Math.max(3, Math.ceil(options.seconds / (warm.seconds / 5)));
      const cpuBefore = cpuSeconds(pid);
      const { seconds } = await timed(children, { kind: 'rounds', firstStep: 6, rounds });
      const gigabytes = (rounds * bytes) / 1e9;
      results.push({
        members,
        megabytes,
        rounds,
        milliseconds: (seconds * 1000) / rounds,
        gigabytesPerSecond: gigabytes / seconds,
        brokerCpuSecondsPerGigabyte: (cpuSeconds(pid) - cpuBefore) / gigabytes,
        ratioToGloo: null,
      });
    }
    for (const child of children) child.send({ kind: 'end' });
    await Promise.all(children.map((child) => new Promise((resolve) => child.once('exit', resolve))));
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
  return results;
}

function startMember(options: MemberOptions): ChildProcess {
  const file = fileURLToPath(new URL('./allreduce-member.ts', import.meta.url));
  return fork(file, [JSON.stringify(options)], { execArgv: ['--import', 'tsx'] });
}

function answer(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    const exited = (code: number | null): void => reject(new Error(`a member ended with ${code}`));
    child.once('exit', exited);
    child.once('message', (message: { checked: number }) => {
      child.off('exit', exited);
      resolve(message.checked);
    });
  });
}

async function tell(children: readonly ChildProcess[], order: Order): Promise<number[]> {
  const answers = Promise.all(children.map(answer));
  for (const child of children) child.send(order);
  return answers;
}

async function timed(children: readonly ChildProcess[], order: Order): Promise<{ seconds: number }> {
  const start = performance.now();
  const sums = await tell(children, order);
  const seconds = (performance.now() - start) / 1000;
  if (new Set(sums).size !== 1) throw new Error(`members hold different sums: ${sums}`);
  return { seconds };
}

function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

function ratio(result: AllreduceResult, gloo: readonly GlooResult[] | null): number | null {
  const same = gloo?.find(({ members, megabytes }) => members === result.members && megabytes === result.megabytes);
  return same ? result.gigabytesPerSecond / same.gigabytesPerSecond : null;
}

function row(result: AllreduceResult): string {
  const columns = [
    String(result.members).padStart(8),
    String(result.megabytes).padStart(6),
    String(result.rounds).padStart(8),
    result.milliseconds.toFixed(1).padStart(8),
    result.gigabytesPerSecond.toFixed(3).padStart(7),
    result.brokerCpuSecondsPerGigabyte.toFixed(2).padStart(16),
    (result.ratioToGloo?.toFixed(2) ?? '-').padStart(8),
  ];
  return columns.join(' ');
}
