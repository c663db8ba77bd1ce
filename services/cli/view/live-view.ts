// The view on a terminal: history above, a live block below, both on stderr; the result goes to stdout. Lines wait for
// the next frame, so that the terminal is written to at most ten times a second whatever happens.

import type { Clock } from '@thaw/common/clock/clock.ts';
import { plainText, wrapText } from './display-width.ts';
import { writeEnding } from './ending.ts';
import { foldUpdate } from './fold-update.ts';
import { historyLines } from './history.ts';
import { createLiveArea } from './live-area.ts';
import { liveBlock } from './live-block.ts';
import type { RunView } from './run-view.ts';
import { type Line, paint, span } from './styled-line.ts';
import { guardTerminal } from './terminal-guard.ts';
import { takesColour } from './view-mode.ts';
import { initialViewState } from './view-state.ts';

export interface LiveViewOptions {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly clock: Clock;
  /** Calls `frame` ten times a second, without keeping the process alive, until it is stopped. */
  readonly frames: (frame: () => void) => () => void;
}

const frameMilliseconds = 100;
const columnsDefault = 80;
/** More lines than this do not wait for a frame. */
const waitingLinesMax = 1000;

export function everyFrame(frame: () => void): () => void {
  const timer = setInterval(frame, frameMilliseconds).unref();
  return () => clearInterval(timer);
}

export function createLiveView({ stdout, stderr, clock, frames }: LiveViewOptions): RunView {
  const area = createLiveArea(stderr);
  const colour = takesColour(stderr);
  let state = initialViewState({ monotonic: clock.monotonic(), wall: clock.wall() });
  let waiting: Line[] = [];
  let ended = false;

  /** The last column stays free: a character there leaves the cursor between two lines. */
  const width = (): number => (stderr.columns || columnsDefault) - 1;
  const draw = (): void => {
    const text = (spans: Line): string => paint(spans, colour);
    area.draw(waiting.map(text), liveBlock(state, width(), clock.monotonic()).map(text));
    waiting = [];
  };
  const print = (lines: readonly Line[]): void => {
    waiting.push(...lines);
    if (waiting.length > waitingLinesMax) draw();
  };
  /** What waits is printed first: nothing is lost on any way out. */
  const release = (): void => {
    if (waiting.length > 0) draw();
    area.clear();
  };
  const stopFrames = frames(draw);
  const takeGuardOff = guardTerminal({ release, resume: draw });
  stderr.on('resize', draw);

  return {
    starting(what) {
      state = { ...state, starting: what };
    },
    update(update) {
      const folded = foldUpdate(state, update);
      state = folded.state;
      print(folded.history.filter(({ minor }) => !minor).flatMap((entry) => historyLines(entry, width())));
    },
    warn(message) {
      if (ended) stderr.write(`warning: ${message}\n`);
      else print(warningLines(message, width()));
    },
    end(ending) {
      if (ended) return;
      ended = true;
      stopFrames();
      stderr.off('resize', draw);
      release();
      takeGuardOff();
      writeEnding(ending, { stdout, stderr });
    },
  };
}

function warningLines(message: string, width: number): Line[] {
  return `warning: ${message}`
    .split('\n')
    .flatMap((text) => wrapText(plainText(text), width).map((part) => [span(part, 'warning')]));
}
