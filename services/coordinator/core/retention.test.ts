// The old task in a job's life: measured before anything is trained and after each validation, and what its rule decides.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { aPlan, aStage, Play } from '../testing/builders.ts';
import { stageKey } from './stage-key.ts';

const sets = {
  samples: { train: 100, validation: 20, test: 20, retention: 30 },
  parts: { validation: 3, test: 3, retention: 3 },
};

function aWatchedPlan(maxDrop: number | null, replicas = 2) {
  return aPlan({
    ...sets,
    replicas,
    retention: { classes: 2, maxDrop, onExceed: 'stop' },
    stages: [aStage({ steps: 16 })],
  });
}

/** `epochs`: right predictions of ten on the validation set and on the old task. The old task begins with nine. */
function played(maxDrop: number | null, epochs: readonly (readonly [number, number])[], replicas = 2): Play {
  const play = new Play(aWatchedPlan(maxDrop, replicas)).gather(replicas).answer([9]);
  for (const [validation, old] of epochs) {
    if (play.kind() === 'store') play.answer();
    assert.equal(play.kind(), 'train', 'the stage goes on until the last of these epochs');
    play.answer().answer([validation]).answer([old]);
  }
  if (play.kind() === 'store') play.answer();
  return play;
}

describe('the old task', () => {
  it('is measured before the first stage, and after each validation', () => {
    const play = new Play(aWatchedPlan(null)).gather(2);
    assert.deepEqual([play.work('evaluate').split, play.state.stages.length], ['retention', 0]);
    play.answer([9]);
    assert.equal(play.state.oldTask?.accuracy, 0.9);
    assert.equal(play.kind(), 'train');
    play.answer();
    assert.equal(play.work('evaluate').split, 'validation');
    play.answer([5]);
    assert.equal(play.work('evaluate').split, 'retention');
    play.answer([6]);
    const [epoch] = play.state.stages[0]?.epochs ?? [];
    assert.equal(epoch?.validation?.accuracy, 0.5);
    assert.deepEqual([epoch?.retention?.accuracy, epoch?.retention?.drop.toFixed(6)], [0.6, '0.300000']);
    const kinds = play.kinds();
    assert.ok(kinds.indexOf('oldTaskMeasured') < kinds.indexOf('stageStarted'));
    const told = play.state.outbox.flatMap(({ entry }) => (entry.kind === 'epochEvaluated' ? [entry.retention] : []));
    assert.deepEqual(told, [epoch?.retention]);
  });

  it('is not asked for in a job without retention', () => {
    const play = new Play(aPlan({ stages: [aStage({ steps: 4 })] })).gather(2).playOn();
    assert.ok(!play.kinds().includes('oldTaskMeasured'));
    assert.ok(!play.state.outbox.some(({ entry }) => 'retention' in entry));
  });

  it('is measured anew where all stages were trained before, whose figures stay', () => {
    const first = new Play(aWatchedPlan(null)).gather(2).answer([9]).playOn([8]);
    const again = new Play(aWatchedPlan(null), first.kept()).gather(2);
    assert.equal(again.work('evaluate').split, 'retention');
    again.answer([9]);
    assert.equal(again.work('evaluate').split, 'test');
    assert.deepEqual(again.state.stages[0]?.epochs, first.state.stages[0]?.epochs);
  });

  it('counts in what a stage is kept under: its classifier does', () => {
    const { state } = new Play(aWatchedPlan(null)).gather(2);
    const { plan } = state;
    const other = { ...plan, artifacts: { ...plan.artifacts, oldGraph: `sha256:${'8'.repeat(64)}` } };
    assert.notEqual(stageKey({ ...state, plan: other }, 0, null), stageKey(state, 0, null));
  });
});

const rules: readonly (readonly [
  what: string,
  maxDrop: number | null,
  epochs: readonly (readonly [number, number])[],
  ended: RegExp | null,
  best: number,
])[] = [
  ['without a limit nothing ends', null, [[5, 9], [6, 0]], null, 1], // biome-ignore format: a table
  ['a drop of just the limit is allowed, whatever rounding does', 0.2, [[5, 9], [6, 7]], null, 1], // biome-ignore format: a table
  ['one beyond it ends the stage, and leaves the best of before', 0.2, [[5, 9], [8, 6]], /fell by 30 points; retention.maxDrop allows 20$/, 0], // biome-ignore format: a table
  ['one alone is best all the same', 0.2, [[5, 6]], /fell by 30 points/, 0], // biome-ignore format: a table
  ['at a limit of 0 a rise is no drop', 0, [[5, 10], [6, 9]], null, 1], // biome-ignore format: a table
];

describe('the rule of retention', () => {
  for (const [what, maxDrop, epochs, ended, best] of rules) {
    for (const replicas of [1, 3]) {
      it(`${what}, with ${replicas} trainers`, () => {
        const [stage] = played(maxDrop, epochs, replicas).state.stages;
        if (ended) assert.match(stage?.ended ?? '', ended);
        else assert.equal(stage?.ended, null);
        assert.equal(stage?.best?.epoch, best);
        assert.equal(stage?.epochsDone, epochs.length);
      });
    }
  }
});
