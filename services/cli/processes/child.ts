// One child process of a run: started in a group of its own, so that Ctrl-C in the terminal reaches only the launcher,
// which then ends its children in order. A child lives at most as long as its stdin is open.

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import os from 'node:os';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

export interface ChildOptions {
  /** coordinator, trainer-0, nats-server: as logs and messages call it. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** What the process writes to stderr goes here too; null keeps only the last lines, in memory. */
  readonly stderrFile: string | null;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Child {
  readonly name: string;
  readonly pid: number;
  /** Lines of its stdout, in order. */
  onLine(handler: (line: string) => void): void;
  /** One line to its stdin. */
  tell(line: string): void;
  readonly exited: Promise<Exit>;
  readonly exit: Exit | null;
  /** The newest lines of its stderr. */
  lastLines(): readonly string[];
  /** Of these, the one that names an uncaught error; without one, the newest three. */
  lastWords(): string;
  /** Asks it to end by SIGTERM. Resolves when it has, after `milliseconds` by SIGKILL. */
  stop(milliseconds: number): Promise<void>;
}

const lastLinesMax = 20;

export function startChild(options: ChildOptions): Child {
  const process = spawn(options.command, options.args, {
    env: options.env,
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  let exit: Exit | null = null;
  const exited = new Promise<Exit>((resolve) => {
    const ended = (code: number | null, signal: NodeJS.Signals | null): void => {
      exit ??= { code, signal };
      process.stdin.destroy();
      resolve(exit);
    };
    process.once('error', () => ended(null, null));
    process.once('close', ended);
  });
  // A child that is gone closes the pipe; its exit tells why.
  process.stdin.on('error', () => undefined);
  const lines = keepLines(process, options.stderrFile);
  const output = createInterface({ input: process.stdout });
  return {
    name: options.name,
    pid: process.pid ?? 0,
    onLine: (handler) => void output.on('line', handler),
    tell: (line) => void process.stdin.write(`${line}\n`),
    exited,
    get exit() {
      return exit;
    },
    lastLines: () => [...lines],
    lastWords: () => lines.findLast((line) => /^\w*Error\b.*: /.test(line)) ?? lines.slice(-3).join(' / '),
    async stop(milliseconds) {
      if (exit) return;
      process.kill('SIGTERM');
      await Promise.race([exited, delay(milliseconds, undefined, { ref: false })]);
      if (!exit) killGroup(process.pid);
      await exited;
    },
  };
}

function keepLines(process: ChildProcessByStdio<Writable, Readable, Readable>, file: string | null): string[] {
  const lines: string[] = [];
  const copy = file ? createWriteStream(file, { flags: 'a' }) : null;
  copy?.on('error', () => undefined);
  createInterface({ input: process.stderr }).on('line', (line) => {
    lines.push(line);
    if (lines.length > lastLinesMax) lines.shift();
    copy?.write(`${line}\n`);
  });
  process.once('close', () => copy?.end());
  return lines;
}

/** The child and whatever it started. */
function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ESRCH') throw thrown;
  }
}

/** A shell reports the signal that ended its child as 128 and the signal's number. */
const shellSignalBase = 128;

/** `ended with exit code 1`, `was ended by SIGKILL`. */
export function describeExit({ code, signal }: Exit): string {
  const number = (code ?? 0) - shellSignalBase;
  const relayed = Object.entries(os.constants.signals).find(([, value]) => value === number)?.[0];
  if (signal ?? relayed) return `was ended by ${signal ?? relayed}`;
  return code === null ? 'could not be started' : `ended with exit code ${code}`;
}
