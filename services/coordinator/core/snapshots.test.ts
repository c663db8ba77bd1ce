// Restore points through the real core: who is asked, what makes a snapshot count, what a late or different answer does,
// and what may be removed.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Digest } from '@thaw/common/content/digest.ts';
import type { EpochSums } from '@thaw/proto/gen/thaw/v1/EpochSums.ts';
import type { SnapshotTaken__Output } from '@thaw/proto/gen/thaw/v1/SnapshotTaken.ts';
import { aPlan, aStage, aTaken, incarnationOf, Play, stateAfter } from '../testing/builders.ts';
import type { Effect } from './events.ts';
import { statesAfter } from './kept-stage.ts';
import { planMessage, restorePointsMax, schedulesKeptMax } from './snapshots.ts';

const longEpochs = aPlan({ stages: [aStage({ stepsPerEpoch: 100, steps: 300 }), aStage({ name: 'block' })] });

function fileOf(step: number): Digest {
  return `sha256:${step.toString(16).padStart(64, 'f')}`;
}

/** All members answer; the file is stored. Returns the effects of both. */
function takeSnapshot(play: Play, step: number, changes: Partial<SnapshotTaken__Output> = {}) {
  const { effects, snapshot } = answerAll(play, step, changes);
  return snapshot ? [...effects, ...play.tell({ kind: 'snapshotKept', digest: fileOf(step), snapshot })] : effects;
}

function digestsDropped(effects: readonly Effect[]): string[] {
  return effects.flatMap((effect) => (effect.kind === 'discard' ? [effect.digest] : []));
}

function answerAll(play: Play, step: number, changes: Partial<SnapshotTaken__Output> = {}) {
  const effects = (play.state.generation?.members ?? []).flatMap(({ incarnation }, member) =>
    play.tell({ kind: 'snapshotTaken', from: incarnation, taken: aTaken(play.state, { step, member, ...changes }) }),
  );
  const snapshot = effects.flatMap((effect) => (effect.kind === 'keepSnapshot' ? [effect.snapshot] : []))[0];
  return { effects, snapshot };
}

describe('a snapshot', () => {
  it('is asked of all members by a numbered plan, one at a time, and only while they train', () => {
    const play = new Play(longEpochs).gather(2);
    assert.deepEqual(play.tell({ kind: 'snapshotDue' }), [{ kind: 'plan', to: [incarnationOf(0), incarnationOf(1)] }]);
    assert.deepEqual(planMessage(play.state), { term: 1, number: 1, snapshot: { member: 0 } });
    assert.deepEqual(play.tell({ kind: 'snapshotDue' }), []);
    takeSnapshot(play, 10, { plan: 1 });
    assert.equal(planMessage(play.state), null);
    play.tell({ kind: 'snapshotDue' });
    assert.equal(planMessage(play.state)?.number, 2);
    play.answer();
    takeSnapshot(play, 100, { plan: 2 });
    assert.equal(play.kind(), 'evaluate');
    assert.deepEqual(play.tell({ kind: 'snapshotDue' }), []);
  });

  it('moves the restore point when all have said the same and its file is stored, never before', () => {
    const play = new Play(longEpochs).gather(2);
    play.tell({ kind: 'snapshotDue' });
    const [first, second] = [0, 1].map((member) => aTaken(play.state, { step: 10, member, plan: 1 }));
    assert.ok(first && second);
    assert.deepEqual(play.tell({ kind: 'snapshotTaken', from: incarnationOf(0), taken: first }), []);
    assert.deepEqual(play.tell({ kind: 'snapshotTaken', from: incarnationOf(0), taken: first }), []);
    const [keep] = play.tell({ kind: 'snapshotTaken', from: incarnationOf(1), taken: second });
    assert.ok(keep?.kind === 'keepSnapshot');
    assert.deepEqual(play.state.restorePoints, []);
    play.tell({ kind: 'snapshotKept', digest: fileOf(10), snapshot: keep.snapshot });
    const point = { digest: fileOf(10), stage: 0, epoch: 0, step: 10, states: [first.digest] };
    assert.deepEqual(play.state.restorePoints, [point]);
    assert.equal(play.kinds().at(-1), 'snapshotStored');
  });

  it('after stages that were reused names no state that was not fetched for them', () => {
    const stages = ['a', 'b', 'c'].map((digit) => aStage({ name: digit, facts: `sha256:${digit.repeat(64)}` }));
    const kept = new Play(aPlan({ stages })).gather(2).playOn([6, 5, 7, 8, 9, 7]).kept().slice(0, 2);
    const play = new Play(aPlan({ stages }), kept).gather(2);
    takeSnapshot(play, 18);
    const [point] = play.state.restorePoints;
    const there = new Set<string>([...statesAfter(kept), aTaken(play.state, { step: 18, member: 0 }).digest]);
    assert.ok(point && point.states.length > 1);
    assert.deepEqual(
      point.states.filter((digest) => !there.has(digest)),
      [],
    );
  });

  it('that is older than the restore point does not move it back', () => {
    const play = new Play(longEpochs).gather(2);
    const older = answerAll(play, 10).snapshot;
    takeSnapshot(play, 20);
    assert.ok(older);
    const { restorePoints } = play.state;
    const effects = play.tell({ kind: 'snapshotKept', digest: fileOf(10), snapshot: older });
    assert.equal(play.state.restorePoints, restorePoints);
    assert.deepEqual(digestsDropped(effects), [fileOf(10), older.state.digest]);
  });

  it('that a member tells again while its file is written is the same one', () => {
    const play = new Play(longEpochs).gather(2);
    const { snapshot } = answerAll(play, 10);
    assert.ok(snapshot);
    assert.deepEqual(answerAll(play, 10).effects, []);
    play.tell({ kind: 'snapshotKept', digest: fileOf(10), snapshot });
    assert.deepEqual(play.state.pending.writing, []);
    assert.deepEqual(play.state.pending.snapshots, []);
  });

  it('of an epoch that is over holds the schedule as it stood in that epoch', () => {
    const play = new Play(longEpochs).gather(2);
    const taken = [0, 1].map((member) => aTaken(play.state, { step: 100, member }));
    play.answer().answer().answer();
    assert.equal(play.state.cursor.epoch, 1);
    const effects = taken.flatMap((one, i) =>
      play.tell({ kind: 'snapshotTaken', from: incarnationOf(i), taken: one as SnapshotTaken__Output }),
    );
    const [keep] = effects;
    assert.ok(keep?.kind === 'keepSnapshot');
    const { cursor, stages, held } = keep.snapshot.schedule;
    assert.deepEqual([cursor.epoch, cursor.step, stages[0]?.epochsDone, held], [0, 0, 0, null]);
  });

  it('that comes when its stage is long over is dropped, with the state that nobody names', () => {
    const play = new Play(longEpochs).gather(2);
    const late = aTaken(play.state, { step: 50, member: 0 });
    while (play.state.cursor.stage === 0) play.answer();
    play.answer().answer().answer();
    assert.deepEqual(play.tell({ kind: 'snapshotTaken', from: incarnationOf(0), taken: late }), []);
    assert.ok(digestsDropped(takeSnapshot(play, 320)).includes(late.digest), 'with the next restore point');
  });

  it('that a member differs in stops the job by its name, and is not kept', () => {
    const play = new Play(aPlan({ replicas: 3, stages: [aStage({ stepsPerEpoch: 100, steps: 100 })] })).gather(3);
    const effects = [0, 1, 2].flatMap((member) => {
      const changes = member === 1 ? { digest: `sha256:${'0'.repeat(64)}` } : {};
      const taken = aTaken(play.state, { step: 10, member, ...changes });
      return play.tell({ kind: 'snapshotTaken', from: incarnationOf(member), taken });
    });
    assert.equal(play.state.failure?.code, 'StateDiverged');
    assert.match(play.state.failure?.message ?? '', /in the snapshot after step 10, trainer-1 differs from the others/);
    assert.ok(!effects.some(({ kind }) => kind === 'keepSnapshot'));
    assert.ok(effects.some(({ kind }) => kind === 'discard'));
  });

  it('replaces older ones, and what only they name is dropped; a best state that they name stays', () => {
    const play = new Play(longEpochs).gather(2);
    const dropped: string[] = [];
    for (const step of [10, 20, 30, 40]) {
      const effects = takeSnapshot(play, step);
      dropped.push(...digestsDropped(effects));
    }
    assert.equal(play.state.restorePoints.length, restorePointsMax);
    const stateOf = (step: number): string => aTaken(play.state, { step, member: 0 }).digest;
    assert.deepEqual(new Set(dropped), new Set([fileOf(10), stateOf(10), fileOf(20), stateOf(20)]));

    // The best state of epoch 0 is named by the schedule of a snapshot in epoch 1: a better one must not remove it.
    play.answer([5, 9]).answer([5, 9]).answer([5, 9]);
    const best = play.state.held?.digest ?? '';
    takeSnapshot(play, 150);
    const effects = play.effects.length;
    play.answer([5, 9]).answer([5, 9]).answer([5, 9]);
    assert.notEqual(play.state.held?.digest, best);
    assert.ok(!digestsDropped(play.effects.slice(effects)).includes(best));
  });
});

describe('the states that a snapshot names', () => {
  it('are there even if a better epoch came while it was written', () => {
    const stages = [aStage({ stepsPerEpoch: 100, steps: 900 })];
    const rising = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    const play = new Play(aPlan({ stages })).gather(2);
    play.answer(rising).answer(rising).answer(rising);
    const { snapshot } = answerAll(play, 200);
    const best = play.state.held?.digest;
    assert.ok(snapshot && best);
    const seen = play.effects.length;
    for (let epochs = 0; epochs <= schedulesKeptMax; epochs++) play.answer(rising).answer(rising).answer(rising);
    assert.notEqual(play.state.held?.digest, best);
    play.tell({ kind: 'snapshotKept', digest: fileOf(200), snapshot });
    assert.ok(play.state.restorePoints[0]?.states.includes(best));
    assert.ok(!digestsDropped(play.effects.slice(seen)).includes(best));
  });

  it('are there too where its answers come after the better epoch; when it cannot come any more, they are dropped', () => {
    const play = new Play(longEpochs).gather(2);
    play.answer([5, 9]).answer([5, 9]).answer([5, 9]);
    const best = play.state.held?.digest;
    assert.ok(best);
    const late = [0, 1].map((member) => aTaken(play.state, { step: 200, member }));
    const seen = play.effects.length;
    play.answer([5, 9]).answer([5, 9]).answer([5, 9]);
    assert.ok(!digestsDropped(play.effects.slice(seen)).includes(best));
    const [keep] = late.flatMap((taken, i) => play.tell({ kind: 'snapshotTaken', from: incarnationOf(i), taken }));
    assert.ok(keep?.kind === 'keepSnapshot');
    play.tell({ kind: 'snapshotKept', digest: fileOf(200), snapshot: keep.snapshot });
    assert.ok(play.state.restorePoints[0]?.states.includes(best));
    for (const step of [210, 220]) takeSnapshot(play, step);
    assert.ok(digestsDropped(play.effects).includes(best));
  });
});

describe('an ordered end', () => {
  /** Both members have applied this step when they are halted. */
  function haltAfter(play: Play, step: number): void {
    const sums = aTaken(play.state, { step, member: 0 }).sums as EpochSums;
    for (const member of [0, 1]) play.places.set(incarnationOf(member), { appliedStep: step, sums });
    play.answer();
  }

  it('halts training, stores where it stands, then ends as cancelled', () => {
    const play = new Play(longEpochs).gather(2);
    play.tell({ kind: 'stop', reason: 'SIGINT' });
    assert.equal(play.kind(), 'halt');
    haltAfter(play, 13);
    assert.equal(play.kind(), 'handOver');
    play.answer();
    const keep = play.effects.at(-1);
    assert.ok(keep?.kind === 'keepSnapshot');
    const { step, sums, state } = keep.snapshot;
    assert.deepEqual([step, sums.correct, state.digest], [13, 13, stateAfter(13)]);
    assert.deepEqual([play.state.phase, play.kind()], ['Training', 'handOver'], 'nobody trains meanwhile');
    play.tell({ kind: 'snapshotKept', digest: fileOf(13), snapshot: keep.snapshot });
    assert.equal(play.state.phase, 'Cancelled');
    assert.equal(play.state.restorePoints[0]?.step, 13);
    assert.deepEqual(play.kinds().slice(-2), ['snapshotStored', 'jobCancelled']);
  });

  it('goes on without one that is lost meanwhile', () => {
    const play = new Play(longEpochs).gather(2);
    play.tell({ kind: 'stop', reason: 'SIGINT' });
    play.tell({ kind: 'lost', from: incarnationOf(0), reason: 'gone' });
    haltAfter(play, 13);
    assert.equal(play.work('handOver').member, 0);
    play.answer();
    assert.equal(play.effects.at(-1)?.kind, 'keepSnapshot');
  });

  it('waits for the snapshot of the epoch that has just ended', () => {
    const play = new Play(longEpochs).gather(2);
    const taken = [0, 1].map((member) => aTaken(play.state, { step: 100, member }));
    play.answer();
    assert.deepEqual(play.tell({ kind: 'stop', reason: 'SIGINT' }), []);
    assert.equal(play.state.phase, 'Evaluating');
    const effects = taken.flatMap((one, i) =>
      play.tell({ kind: 'snapshotTaken', from: incarnationOf(i), taken: one as SnapshotTaken__Output }),
    );
    const [keep] = effects;
    assert.ok(keep?.kind === 'keepSnapshot');
    play.tell({ kind: 'snapshotKept', digest: fileOf(100), snapshot: keep.snapshot });
    assert.equal(play.state.phase, 'Cancelled');
  });

  it('comes as soon as training stands where the newest snapshot was taken', () => {
    const play = new Play(longEpochs).gather(2);
    takeSnapshot(play, 10);
    play.tell({ kind: 'stop', reason: 'SIGINT' });
    haltAfter(play, 10);
    assert.deepEqual([play.state.phase, play.state.failure?.message], ['Cancelled', 'SIGINT']);
  });

  it('waits for a snapshot of just that step that is being stored', () => {
    const play = new Play(longEpochs).gather(2);
    const taken = [0, 1].map((member) => aTaken(play.state, { step: 10, member, plan: 1 }));
    const say = (member: number) =>
      play.tell({ kind: 'snapshotTaken', from: incarnationOf(member), taken: taken[member] as SnapshotTaken__Output });
    say(0);
    const [keep] = say(1);
    assert.ok(keep?.kind === 'keepSnapshot');
    play.tell({ kind: 'stop', reason: 'SIGINT' });
    haltAfter(play, 10);
    assert.equal(play.kind(), 'halt');
    play.tell({ kind: 'snapshotKept', digest: fileOf(10), snapshot: keep.snapshot });
    assert.equal(play.state.phase, 'Cancelled');
  });

  it('waits for no snapshot that one who is halted a step behind never takes', () => {
    const play = new Play(longEpochs).gather(2);
    const taken = aTaken(play.state, { step: 10, member: 0, plan: 1 });
    play.tell({ kind: 'snapshotTaken', from: incarnationOf(0), taken });
    play.tell({ kind: 'stop', reason: 'SIGINT' });
    for (const [member, appliedStep] of [10, 9].entries()) {
      const { sums } = aTaken(play.state, { step: appliedStep, member });
      play.places.set(incarnationOf(member), { appliedStep, sums });
    }
    play.answer();
    assert.equal(play.work('handOver').member, 0);
  });

  for (const { what, before } of [
    { what: 'before training', before: (play: Play) => play.tell({ kind: 'started' }) },
    {
      what: 'when asked again',
      before: (play: Play) => play.gather(2).tell({ kind: 'stop', reason: 'SIGINT' }),
    },
  ]) {
    it(`comes at once ${what}`, () => {
      const play = new Play(longEpochs);
      before(play);
      play.tell({ kind: 'stop', reason: 'SIGTERM' });
      assert.equal(play.state.phase, 'Cancelled');
    });
  }
});
