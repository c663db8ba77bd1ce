// The live view on a real pseudo-terminal: a made-up run in a process of its own, what it wrote played on a screen model.
// Warnings and events must scroll above the block, and every way out must give the terminal back.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { plainText, wrapText } from 'thaw/view/display-width.ts';
import { foldUpdate } from 'thaw/view/fold-update.ts';
import { historyLines } from 'thaw/view/history.ts';
import { paint } from 'thaw/view/styled-line.ts';
import { playRun } from 'thaw/view/testing/played-run.ts';
import { TerminalScreen } from 'thaw/view/testing/terminal-screen.ts';
import { initialViewState } from 'thaw/view/view-state.ts';

const hasScript = spawnSync('script', ['--version']).status === 0;
const skip = hasScript || process.env.CI ? false : 'script is missing: install bsdutils';

before(() => assert.ok(hasScript || !process.env.CI, 'script is missing: CI installs bsdutils'));

interface Played {
  readonly screen: TerminalScreen;
  /** All that the terminal got. */
  readonly text: string;
  readonly status: number | null;
}

interface Demo {
  readonly columns: number;
  readonly arguments: string;
  readonly environment?: NodeJS.ProcessEnv;
  /** Typed once the block is there. */
  readonly type?: string;
}

const demoFile = fileURLToPath(new URL('../support/view-demo.ts', import.meta.url));
const rows = 24;
const hangMilliseconds = 60_000;

/** Runs the demo on a pseudo-terminal of its own until it ends. */
async function play({ columns, arguments: given, environment, type }: Demo): Promise<Played> {
  const command = `stty cols ${columns} rows ${rows}; exec node --import tsx '${demoFile}' --mode live ${given}`;
  const { PATH, HOME } = process.env;
  const env = { PATH, HOME, TERM: 'xterm', ...environment };
  const child = spawn('script', ['-qefc', command, '/dev/null'], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const hang = setTimeout(() => child.kill('SIGKILL'), hangMilliseconds);
  const screen = new TerminalScreen({ columns, rows });
  let received = '';
  let typed = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen.write(text);
    received += text;
    if (type === undefined || typed || !screen.lines().some((line) => line.startsWith('train '))) return;
    typed = true;
    child.stdin.write(type);
  });
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearTimeout(hang);
  return { screen, text: received, status };
}

const blockLine = /elapsed|━|─|samples\/s|^validation {2}|\d\/\d/;

function assertTerminalIsBack({ screen }: Played): void {
  assert.equal(screen.cursorVisible, true);
  assert.equal(screen.cursor.column, 0);
  assert.deepEqual(
    screen.lines().filter((line) => blockLine.test(line)),
    [],
  );
}

/** What must have scrolled by, with the demo's warnings in between. */
function expectedHistory(width: number): string[] {
  const run = playRun();
  let state = initialViewState({ monotonic: 0, wall: run.began });
  return run.updates.flatMap(({ update }, i) => {
    const folded = foldUpdate(state, update);
    state = folded.state;
    const lines = folded.history
      .filter(({ minor }) => !minor)
      .flatMap((entry) => historyLines(entry, width).map((spans) => paint(spans, false)));
    const warning = `warning: made-up warning ${i + 1} of a process, longer than a narrow terminal`;
    return i % 50 === 49 ? [...lines, ...wrapText(plainText(warning), width)] : lines;
  });
}

/** Without the moments: the demo's clock runs. */
function withoutMoments(lines: readonly string[]): string[] {
  return lines.map((line) => line.trimEnd().replace(/^ +\d+:\d\d /, ''));
}

describe('the live view on a pseudo-terminal', { skip }, () => {
  for (const columns of [80, 60, 20]) {
    it(`leaves all of the history and the result, and nothing of the block, at ${columns} columns`, async () => {
      const played = await play({ columns, arguments: '--speed 100' });
      assert.equal(played.status, 0);
      assertTerminalIsBack(played);
      const lines = withoutMoments(played.screen.lines());
      const history = withoutMoments(expectedHistory(columns - 1));
      assert.deepEqual(lines.slice(0, history.length), history);
      assert.match(lines[history.length] ?? '', /^succeeded digits in/);
    });
  }

  for (const { environment, colours } of [
    { environment: {}, colours: true },
    { environment: { NO_COLOR: '1' }, colours: false },
  ]) {
    it(`has ${colours ? 'colours' : 'none'} with ${JSON.stringify(environment)}`, async () => {
      const { screen } = await play({ columns: 80, arguments: '--speed 200', environment });
      assert.equal(screen.colours > 0, colours);
    });
  }

  for (const { name, demo, status, last } of [
    { name: 'a failure', demo: { arguments: '--speed 200 --ending failed' }, status: 0, last: /keeps the log files/ },
    {
      name: 'Ctrl-C',
      demo: { arguments: '--speed 10 --ending cancelled', type: '\x03' },
      status: 130,
      last: /keeps the log files/,
    },
    { name: 'a defect', demo: { arguments: '--speed 200 --crash-at 200' }, status: 1, last: /^Node.js v/ },
    {
      name: 'a process that has nothing left to do',
      demo: { arguments: '--speed 200 --updates 200 --ending none' },
      status: 0,
      last: /made-up warning 200/,
    },
  ]) {
    it(`gives the terminal back after ${name}`, async () => {
      const played = await play({ columns: 80, ...demo });
      assert.equal(played.status, status);
      assertTerminalIsBack(played);
      assert.match(played.screen.lines().at(-1) ?? '', last);
    });
  }

  it('takes the block away before the trace of a defect is printed', async () => {
    const { text } = await play({ columns: 80, arguments: '--speed 200 --crash-at 200' });
    const shown = text.indexOf('\x1b[?25h');
    assert.ok(shown !== -1 && shown < text.indexOf('Error: a made-up defect'));
  });
});
