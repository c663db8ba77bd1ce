import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { JobStatus } from '@thaw/proto/gen/thaw/v1/JobStatus.ts';
import { createPlainView } from './plain-view.ts';
import { fakeTerminal } from './testing/fake-terminal.ts';
import { matchesGolden } from './testing/golden.ts';
import { overTheWire, playRun } from './testing/played-run.ts';

const run = playRun();

function aView() {
  let now = 0;
  const [stdout, stderr] = [aPipe(), aPipe()];
  const clock = { monotonic: () => now, wall: () => run.began + now };
  const view = createPlainView({ stdout: stdout.stream, stderr: stderr.stream, clock });
  const at = (time: number): typeof view => {
    now = time;
    return view;
  };
  return { at, stdout, text: () => stderr.writes.join('') };
}

function aPipe() {
  return fakeTerminal({ columns: 80, rows: 24, isTTY: false, colours: true });
}

it('tells a whole run in lines without escape codes, and the result on stdout', () => {
  const { at, stdout, text } = aView();
  at(100).starting('nats-server');
  at(900).starting('coordinator');
  for (const { at: time, update } of run.updates) at(time).update(update);
  at(170_000).warn('two\nlines');
  assert.equal(stdout.writes.length, 0);
  at(170_000).end({ kind: 'succeeded', out: 'out', report: run.report, predictCommand: 'thaw predict out IMAGE' });
  at(170_000).end({ kind: 'cancelled', kept: '' });
  assert.match(stdout.writes.join(''), /^succeeded digits/);
  assert.equal(stdout.writes.length, 1);
  for (const code of ['\x1b', '\r']) assert.ok(!(text() + stdout.writes.join('')).includes(code));
  matchesGolden('plain-view', text());
});

it('writes a line of progress after ten seconds of silence, no sooner', () => {
  const { at, text } = aView();
  const update = (step: number) => {
    const progress = {
      stageName: 'head',
      stages: 2,
      epochsInStage: 3,
      stepInEpoch: step,
      stepsInEpoch: 400,
      phase: 'compute',
    };
    const status: JobStatus = { state: 'Training', trainersReady: 2, trainersWanted: 2, progress };
    return overTheWire({ status, events: [] });
  };
  for (let tenths = 1; tenths <= 350; tenths++) {
    if (tenths === 50) at(5000).warn('something');
    at(tenths * 100).update(update(tenths));
  }
  assert.deepEqual(text().trimEnd().split('\n'), [
    'warning: something',
    '   0:15  stage 1 of 2 "head", epoch 1 of at most 3, step 150/400, training, 2/2 trainers',
    '   0:25  stage 1 of 2 "head", epoch 1 of at most 3, step 250/400, training, 2/2 trainers',
    '   0:35  stage 1 of 2 "head", epoch 1 of at most 3, step 350/400, training, 2/2 trainers',
  ]);
});
