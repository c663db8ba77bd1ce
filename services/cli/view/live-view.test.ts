import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { RunEnding } from './ending.ts';
import { createLiveView } from './live-view.ts';
import { type FakeTerminal, fakeTerminal } from './testing/fake-terminal.ts';
import { playRun } from './testing/played-run.ts';

const run = playRun();
const cancelled: RunEnding = { kind: 'cancelled', kept: 'nothing was kept' };

function aView(terminal: FakeTerminal = fakeTerminal({ columns: 80, rows: 24 })) {
  let now = 0;
  let frame = (): void => undefined;
  const view = createLiveView({
    stdout: terminal.stream,
    stderr: terminal.stream,
    clock: { monotonic: () => now, wall: () => run.began + now },
    frames: (draw) => {
      frame = draw;
      return () => {
        frame = () => undefined;
      };
    },
  });
  const play = (from: number, to: number): void => {
    for (const { at, update } of run.updates.slice(from, to)) {
      now = at;
      view.update(update);
    }
  };
  return { view, terminal, frame: () => frame(), play };
}

it('draws in frames only, history above the block', () => {
  const { view, terminal, frame, play } = aView();
  play(0, 40);
  view.warn('the first\nand the second line');
  assert.equal(terminal.writes.length, 0);
  frame();
  assert.equal(terminal.writes.length, 1);
  const lines = terminal.screen.lines();
  assert.equal(lines[0], '   0:03  job digits: 3 stages, 2 trainers, 8 shards');
  assert.deepEqual(lines.slice(-8, -5), ['warning: the first', 'and the second line', '']);
  assert.match(lines.at(-5) ?? '', /^stage 1 of 3 "head"/);
  view.end(cancelled);
});

it('leaves the history and the closing lines, and the cursor to be seen', () => {
  const { view, terminal, frame, play } = aView();
  for (let i = 0; i < run.updates.length; i += 7) {
    play(i, i + 7);
    frame();
  }
  assert.equal(terminal.screen.cursorVisible, false);
  view.end(cancelled);
  frame();
  view.end(cancelled);
  const lines = terminal.screen.lines();
  assert.deepEqual(lines.slice(-2), ['cancelled', 'nothing was kept']);
  assert.equal(lines.filter((text) => text === 'cancelled').length, 1);
  assert.ok(lines.every((text) => !text.includes('elapsed') && !text.includes('━')));
  assert.equal(lines.filter((text) => /^ +\d+:\d\d {2}epoch/.test(text)).length, 8);
  assert.deepEqual([terminal.screen.cursorVisible, terminal.screen.cursor.column], [true, 0]);
});

it('prints what still waits when the run ends before a frame', () => {
  const { view, terminal } = aView();
  view.warn('last words');
  view.end(cancelled);
  assert.deepEqual(terminal.screen.lines(), ['warning: last words', 'cancelled', 'nothing was kept']);
});

it('still prints warnings after the end', () => {
  const { view, terminal } = aView();
  view.end(cancelled);
  view.warn('late');
  assert.equal(terminal.screen.lines().at(-1), 'warning: late');
});

it('draws anew when the terminal becomes narrower', () => {
  const { view, terminal, frame, play } = aView();
  play(0, 40);
  frame();
  terminal.resize(40);
  const block = terminal.screen.lines().slice(-6);
  assert.equal(block[0], '');
  assert.match(block[1] ?? '', /^1\/3 head {2}epoch 1\/5/);
  assert.ok(
    block.every((text) => text.length < 40),
    block.join('\n'),
  );
  view.end(cancelled);
});

it('does not hold a flood of warnings, nor write once for each', () => {
  const { view, terminal, frame } = aView(fakeTerminal({ columns: 80, rows: 5 }));
  const count = 5000;
  for (let i = 0; i < count; i++) view.warn(`number ${i}`);
  frame();
  assert.ok(terminal.writes.length <= 5, `${terminal.writes.length} writes`);
  assert.equal(terminal.screen.lines().filter((text) => text.startsWith('warning: number')).length, count);
  view.end(cancelled);
});

for (const colours of [true, false]) {
  it(`is drawn ${colours ? 'with' : 'without'} colours on a terminal ${colours ? 'with' : 'without'} them`, () => {
    const { view, terminal, frame, play } = aView(fakeTerminal({ columns: 80, rows: 24, colours }));
    play(0, 40);
    frame();
    assert.equal(terminal.screen.colours > 0, colours);
    view.end(cancelled);
  });
}

it('listens to the process and the terminal while it is live, and no longer', () => {
  const terminal = fakeTerminal({ columns: 80, rows: 24 });
  const counts = (): number[] => [
    ...['exit', 'SIGTSTP', 'SIGCONT'].map((name) => process.listenerCount(name)),
    terminal.stream.listenerCount('resize'),
  ];
  const before = counts();
  const { view } = aView(terminal);
  assert.deepEqual(
    counts(),
    before.map((count) => count + 1),
  );
  view.end(cancelled);
  assert.deepEqual(counts(), before);
});
