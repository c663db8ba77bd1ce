// `thaw status JOB`: how far a run is, asked of its coordinator; of one that is not under way, what its folder says. With
// --watch it goes on saying so until the run is over: in place on a terminal, else a line at each turn.

import { setTimeout as delay } from 'node:timers/promises';
import type { ClientReadableStream } from '@grpc/grpc-js';
import { terminalPhases } from '@thaw/coordinator/core/state.ts';
import type { JobStatus__Output } from '@thaw/proto/gen/thaw/v1/JobStatus.ts';
import type { JobUpdate__Output } from '@thaw/proto/gen/thaw/v1/JobUpdate.ts';
import { Command } from 'commander';
import { readStoppedRun, type StoppedRun } from '../results/stopped-run.ts';
import { createLiveArea } from '../view/live-area.ts';
import { progressText } from '../view/progress-text.ts';
import { runningLines, stoppedLines } from '../view/status-lines.ts';
import { cutLine, type Line, paint } from '../view/styled-line.ts';
import { guardTerminal } from '../view/terminal-guard.ts';
import { takesColour, viewMode } from '../view/view-mode.ts';
import type { World } from '../world.ts';
import { nextTime } from './places.ts';
import { type FoundRun, findRun, isUnderWay, jobArgument, markNow, reachRun, untilOver } from './running-job.ts';

interface StatusOptions {
  readonly watch: boolean;
  readonly json: boolean;
}

const columnsDefault = 80;
const isTerminal = (state: string): boolean => terminalPhases.some((phase) => phase === state);
const reopenMilliseconds = 100;

export function statusCommand(world: World): Command {
  return new Command('status')
    .description('say how far a run is, or how it ended')
    .argument(...jobArgument)
    .option('--watch', 'until the run is over; status 0 only if it succeeds', false)
    .option('--json', 'as JSON; with --watch a line for each change', false)
    .action((job: string, options: StatusOptions) => status(world, job, options));
}

async function status(world: World, job: string, options: StatusOptions): Promise<void> {
  const run = await findRun(world, job);
  if (options.watch) return watch(world, run, options);
  const reached = await reachRun(run);
  if (reached) writeRunning(world, run, reached.status, options);
  else if (isUnderWay(run.mark)) writeUnreached(world, run, options);
  else writeStopped(world, run, await readStoppedRun(run.out, run.mark), options);
  reached?.jobs.close();
}

async function watch(world: World, run: FoundRun, options: StatusOptions): Promise<void> {
  const shown = options.json ? jsonWatch(world, run, options) : textWatch(world, run);
  try {
    await showUntilEnded(run, shown);
  } finally {
    shown.end();
  }
  const stopped = await readStoppedRun(run.out, await untilOver(run));
  writeStopped(world, run, stopped, options);
  if (stopped.state !== 'Succeeded') world.exitWith(1);
}

/** A coordinator that does not listen yet, or whose stream breaks off, is asked again as long as it lives. */
async function showUntilEnded(run: FoundRun, shown: Watch): Promise<void> {
  for (;;) {
    const reached = await reachRun(run);
    const isEnded = reached !== null && (await untilEnded(reached.jobs.watch({}), shown.update));
    reached?.jobs.close();
    if (isEnded || !isUnderWay(await markNow(run))) return;
    await delay(reopenMilliseconds);
  }
}

function writeRunning(world: World, { out, shown }: FoundRun, now: JobStatus__Output, options: StatusOptions): void {
  if (options.json) writeJson(world, { out, running: true, ...now }, options);
  else writeLines(world, runningLines(now, shown));
}

/** Before it listens, and when it listens no more. */
function writeUnreached(world: World, { out, mark: { name, pid } }: FoundRun, options: StatusOptions): void {
  const state = 'StartingOrEnding';
  if (options.json) writeJson(world, { out, running: true, name, state }, options);
  else world.stdout.write(`${name} is just starting or ending (process ${pid})\n`);
}

function writeStopped(world: World, { out, shown }: FoundRun, stopped: StoppedRun, options: StatusOptions): void {
  if (options.json) writeJson(world, { out, running: false, ...stopped }, options);
  else writeLines(world, stoppedLines(stopped, shown, nextTime(world, out)));
}

function writeJson({ stdout }: World, value: object, { watch }: StatusOptions): void {
  stdout.write(`${JSON.stringify(value, null, watch ? 0 : 2)}\n`);
}

function writeLines({ stdout }: World, lines: readonly Line[]): void {
  const colour = takesColour(stdout);
  stdout.write(lines.map((spans) => `${paint(spans, colour)}\n`).join(''));
}

/** False when the stream broke off. */
function untilEnded(
  stream: ClientReadableStream<JobUpdate__Output>,
  update: (now: JobStatus__Output) => void,
): Promise<boolean> {
  stream.on('data', (message: JobUpdate__Output) => {
    if (message.status) update(message.status);
  });
  return new Promise((resolve) => {
    stream.on('end', () => resolve(true));
    stream.on('error', () => resolve(false));
  });
}

interface Watch {
  update(now: JobStatus__Output): void;
  end(): void;
}

function jsonWatch(world: World, run: FoundRun, options: StatusOptions): Watch {
  return { update: (now) => writeRunning(world, run, now, options), end: () => undefined };
}

function textWatch({ stdout, env }: World, { shown }: FoundRun): Watch {
  const isLive = viewMode({ json: false, isTerminal: stdout.isTTY === true, env }) === 'live';
  return isLive ? liveWatch(stdout, shown) : plainWatch(stdout);
}

function liveWatch(stdout: NodeJS.WriteStream, shown: string): Watch {
  const area = createLiveArea(stdout);
  const colour = takesColour(stdout);
  let lines: readonly Line[] = [];
  const draw = (): void => {
    const width = (stdout.columns || columnsDefault) - 1;
    area.draw(
      [],
      lines.map((spans) => paint(cutLine(spans, width), colour)),
    );
  };
  const takeGuardOff = guardTerminal({ release: () => area.clear(), resume: draw });
  return {
    update(now) {
      lines = runningLines(now, shown);
      draw();
    },
    end() {
      area.clear();
      takeGuardOff();
    },
  };
}

/** A line for each epoch, phase and number of trainers; how it ended is said afterwards. */
function plainWatch(stdout: NodeJS.WriteStream): Watch {
  let last = '';
  return {
    update(now) {
      const { state, trainersReady, trainersWanted, progress } = now;
      const turn = [state, trainersReady, trainersWanted, progress?.stage, progress?.epochInStage].join();
      if (turn !== last && !isTerminal(state)) stdout.write(`${progressText(now)}\n`);
      last = turn;
    },
    end: () => undefined,
  };
}
