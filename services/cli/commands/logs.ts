// `thaw logs JOB`: what every process of a run has written to its log, merged by time, as people read it. Reads files
// only, so that it works of any run, also of one that was killed. With --follow until the run is over.

import { setTimeout as delay } from 'node:timers/promises';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { resultFiles } from '@thaw/coordinator/export/result-files.ts';
import { Command } from 'commander';
import { loggedProcesses, openLogFiles, type TimedLine } from '../logs/log-files.ts';
import type { Level } from '../logs/log-line.ts';
import { type Line, paint, type Style, span } from '../view/styled-line.ts';
import { takesColour } from '../view/view-mode.ts';
import type { World } from '../world.ts';
import { shownPath } from './places.ts';
import { findRun, isUnderWay, jobArgument, markNow } from './running-job.ts';

interface LogsOptions {
  readonly follow: boolean;
  readonly trainer?: string;
  readonly json: boolean;
}

const pollMilliseconds = 200;
const processCells = 15;
const levelCells = 6;
const styles: Partial<Record<Level, Style>> = { warn: 'warning', error: 'bad', fatal: 'bad' };

export function logsCommand(world: World): Command {
  return new Command('logs')
    .description('show the logs of a run, those of all processes merged by time (UTC)')
    .argument(...jobArgument)
    .option('--follow', 'go on until the run is over', false)
    .option('--trainer <name>', 'of this trainer alone, such as trainer-0')
    .option('--json', 'a line of JSON for each line', false)
    .action((job: string, options: LogsOptions) => logs(world, job, options));
}

async function logs(world: World, job: string, { follow, trainer, json }: LogsOptions): Promise<void> {
  const run = await findRun(world, job);
  const { out, mark } = run;
  const folder = resultFiles(out).logs;
  // Of a run under way, it may still come.
  if (trainer !== undefined && !(follow && isUnderWay(mark))) await requireLog(world, folder, trainer);
  const files = openLogFiles(folder, trainer ?? null);
  const print = json ? jsonPrinter(world) : textPrinter(world);
  for (;;) {
    // Asked before reading: what is written while it ends is read too.
    const isOver = !isUnderWay(await markNow(run));
    print(await files.read());
    if (!follow || isOver) return;
    await delay(pollMilliseconds);
  }
}

/** Throws SourceNotFound. */
async function requireLog(world: World, folder: string, trainer: string): Promise<void> {
  const found = await loggedProcesses(folder);
  if (found.includes(trainer)) return;
  const there = found.length > 0 ? found.join(', ') : 'no log at all';
  throw new ThawError(
    'SourceNotFound',
    `found no log of ${trainer} in ${shownPath(world, folder)}; there is: ${there}`,
  );
}

type Printer = (lines: readonly TimedLine[]) => void;

function jsonPrinter({ stdout }: World): Printer {
  return (lines) =>
    void stdout.write(lines.map(({ at, ...line }) => `${JSON.stringify({ time: new Date(at), ...line })}\n`).join(''));
}

/** The day stands on a line of its own, once. */
function textPrinter({ stdout }: World): Printer {
  const colour = takesColour(stdout);
  let day = '';
  return (lines) => {
    for (const line of lines) {
      const [date = '', time = ''] = new Date(line.at).toISOString().slice(0, -1).split('T');
      if (date !== day) stdout.write(`${paint([span(`${date} UTC`, 'dim')], colour)}\n`);
      day = date;
      stdout.write(`${paint(lineText(time, line), colour)}\n`);
    }
  };
}

function lineText(time: string, { process, level, message }: TimedLine): Line {
  const style = styles[level] ?? 'plain';
  return [
    span(`${time} ${process.padEnd(processCells)} `, 'dim'),
    span(level.padEnd(levelCells), style),
    span(` ${message}`, style),
  ];
}
