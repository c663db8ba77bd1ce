// What the terminal shows of a job whose first stages were trained before, decided by the real core.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eventLine } from '@thaw/coordinator/core/event-log.ts';
import { jobProgress, jobStatus } from '@thaw/coordinator/core/progress.ts';
import { aPlan, aStage, Play } from '@thaw/coordinator/testing/builders.ts';
import { foldUpdate } from './fold-update.ts';
import { historyLines } from './history.ts';
import { liveBlock } from './live-block.ts';
import { paint } from './styled-line.ts';
import { overTheWire } from './testing/played-run.ts';
import { epochInStage, initialViewState } from './view-state.ts';

const plan = aPlan({ stages: [aStage(), aStage({ name: 'block' })] });
const script = [5, 8, 7, 9];
const kept = new Play(plan).gather(2).playOn(script).kept();

function shown(play: Play) {
  const status = jobStatus(play.state, [], play.now);
  const update = overTheWire({ status, events: play.state.outbox.map(eventLine) });
  const { state, history } = foldUpdate(initialViewState({ monotonic: 0, wall: 0 }), update);
  const lines = history.flatMap((entry) => historyLines(entry, Number.POSITIVE_INFINITY));
  return { state, text: lines.map((spans) => paint(spans, false)).join('\n') };
}

it('says of a reused stage who trained it, when, at what cost, and its best epoch', () => {
  const { text } = shown(new Play(plan, kept.slice(0, 1)).gather(2));
  assert.match(
    text,
    /stage 1 of 2 "head" reused: trained by job digits at 1970-01-01 00:16 UTC \(2 epochs, 8 steps in 12\.0 s\); best epoch 2$/m,
  );
});

it('counts epochs of the stages after it from their own first one', () => {
  const play = new Play(plan, kept.slice(0, 1)).gather(2).playOn(script);
  const { state, text } = shown(play);
  assert.deepEqual(
    state.stages.map(({ name, firstEpoch, best }) => [name, firstEpoch, best?.epoch]),
    [
      ['head', 0, 1],
      ['block', 2, 3],
    ],
  );
  assert.equal(epochInStage(state, 3), 2);
  assert.match(text, /test of epoch 2: /);
});

it('shows no stage under way while trainers gather', () => {
  const play = new Play(plan, kept);
  play.tell({ kind: 'started' });
  const gathering = new Play(aPlan({ stages: plan.stages, replicas: 3 }), kept).gather(2);
  const { state } = shown(gathering);
  assert.equal(state.stages.length, 2);
  assert.match(
    liveBlock(state, 80, 0)
      .map((spans) => paint(spans, false))
      .join('\n'),
    /^\ngathering trainers: 2 of 3 trainers ready\ntrainers 2\/3 ready/,
  );
});

it('estimates the time left by what was trained here, not by what was reused', () => {
  const play = new Play(plan, kept.slice(0, 1)).gather(2);
  assert.equal(jobProgress(play.state, [], play.now).remainingSeconds, 0);
  play.now += 60_000;
  play.answer(script);
  const { ratio, remainingSeconds } = jobProgress(play.state, [], play.now);
  assert.equal(ratio, 12 / 16);
  const trained = (play.now - (play.state.stages[1]?.startedAt ?? 0)) / 1000;
  assert.equal(remainingSeconds, trained, 'half of the second stage is done, the other half is left');
});
