// A job that was stopped at any moment and taken up again comes to what an undisturbed one comes to: fast-check stops it
// between any two events, with another number of trainers afterwards.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Digest } from '@thaw/common/content/digest.ts';
import fc from 'fast-check';
import { aPlan, aStage, aTaken, aTrained, incarnationOf, Play, type Script } from '../testing/builders.ts';
import type { JobPlan } from './job-plan.ts';
import { jobProgress } from './progress.ts';
import { decodeSnapshot, encodeSnapshot, type Snapshot } from './snapshot.ts';
import type { JobState } from './state.ts';
import { decodeState, encodeState } from './stored-form.ts';

const plan = aPlan({
  stages: [
    aStage({ stepsPerEpoch: 5, steps: 20, advanceOn: { metric: 'accuracy', mode: 'max', patience: 2, minDelta: 0 } }),
    aStage({ name: 'block', stepsPerEpoch: 5, steps: 13, onEnter: 'restoreBest' }),
  ],
});
const script: Script = [6, 5, 7, 7, 8, 4, 9, 5];

/** A disk: snapshots by digest, and the stored state. */
class Disk {
  readonly files = new Map<string, string>();
  state: JobState | null = null;
  now = 0;

  keep(snapshot: Snapshot): Digest {
    const text = encodeSnapshot(snapshot, []);
    const digest: Digest = `sha256:${String(this.files.size + 1).padStart(64, '0')}`;
    this.files.set(digest, text);
    return digest;
  }
}

/** Plays for so many events, taking a snapshot at a step of each epoch; false when the job is done before. */
function playFor(play: Play, disk: Disk, { events, snapshotAt }: { events: number; snapshotAt: number }): boolean {
  let left = events;
  const store = (): boolean => {
    disk.state = decodeState(encodeState(play.state));
    disk.now = play.now;
    return --left > 0;
  };
  const snapshot = (step: number): boolean => {
    for (const [member, { incarnation }] of (play.state.generation?.members ?? []).entries()) {
      const taken = aTaken(play.state, { step, member });
      const effects = play.tell({ kind: 'snapshotTaken', from: incarnation, taken });
      if (!store()) return false;
      for (const effect of effects) {
        if (effect.kind !== 'keepSnapshot') continue;
        play.tell({ kind: 'snapshotKept', digest: disk.keep(effect.snapshot), snapshot: effect.snapshot });
        if (!store()) return false;
      }
    }
    return true;
  };
  while (play.kind() !== 'finish') {
    if (play.kind() === 'train') {
      const { epochFirstStep, firstStep, lastStep } = play.work('train').train;
      const middle = epochFirstStep + snapshotAt;
      if (middle >= firstStep && middle < lastStep && !snapshot(middle)) return false;
      if (firstStep <= lastStep && !snapshot(lastStep)) return false;
    }
    for (const [from, report] of play.reports(script)) {
      play.tell({ kind: 'report', from, report });
      if (!store()) return false;
    }
  }
  return true;
}

/** An hour, in milliseconds. */
const stoodStill = 3_600_000;

function resume(disk: Disk, resumedPlan: JobPlan, replicas: number): Play {
  const stored = disk.state;
  assert.ok(stored);
  const [point] = stored.restorePoints;
  const text = point && disk.files.get(point.digest);
  const play = new Play(resumedPlan);
  play.state = { ...stored, term: stored.term + 1 };
  play.now = disk.now + stoodStill;
  play.tell({
    kind: 'resumed',
    plan: resumedPlan,
    isSameReign: false,
    runToken: String(play.state.term).padStart(16, '0'),
    snapshot: text ? decodeSnapshot(text, 'test').snapshot : null,
    restorePoints: stored.restorePoints,
    badSamples: [],
    damaged: [],
  });
  return play.join(replicas, 10 * stored.term);
}

/** All that the result is made of; no times, no names. */
function outcomeOf({ state }: Play) {
  const stages = state.stages.map(({ stage, key, ended, firstStep, steps, epochsDone, epochs, best }) => {
    const figures = epochs.map(({ epoch, steps: taken, loss, accuracy, validation }) => [
      epoch,
      taken,
      loss,
      accuracy,
      validation,
    ]);
    return { stage, key, ended, firstStep, steps, epochsDone, figures, best };
  });
  const { test, cursor, held } = state;
  return { stages, test, held, step: cursor.step, epoch: cursor.epoch };
}

describe('a job that was stopped', () => {
  it('anywhere, once or twice, comes to the same result', () => {
    const whole = new Play(plan).gather(2);
    playFor(whole, new Disk(), { events: Number.POSITIVE_INFINITY, snapshotAt: 2 });
    const expected = outcomeOf(whole);
    const stops = fc.array(
      fc.record({ events: fc.integer({ min: 1, max: 120 }), replicas: fc.integer({ min: 1, max: 4 }) }),
      {
        minLength: 1,
        maxLength: 2,
      },
    );
    fc.assert(
      fc.property(stops, fc.integer({ min: 0, max: 4 }), (all, snapshotAt) => {
        const disk = new Disk();
        let play = new Play(plan).gather(2);
        disk.state = decodeState(encodeState(play.state));
        for (const { events, replicas } of all) {
          if (playFor(play, disk, { events, snapshotAt })) break;
          const before = disk.state as JobState;
          play = resume(disk, { ...plan, replicas }, replicas);
          assert.ok(play.state.term > before.term && play.state.runToken !== before.runToken);
          assert.ok((play.state.generation?.number ?? 0) > (before.generation?.number ?? 0));
          assert.ok((play.state.directive?.revision ?? 0) > before.directivesIssued);
          assert.ok(play.state.eventSequence > before.eventSequence);
        }
        playFor(play, disk, { events: Number.POSITIVE_INFINITY, snapshotAt });
        assert.deepEqual(outcomeOf(play), expected);
      }),
      { numRuns: 60 },
    );
  });

  it('goes on in the middle of its epoch, with the sums up to there, and says what is done again', () => {
    const disk = new Disk();
    const play = new Play(plan).gather(2);
    playFor(play, disk, { events: 4, snapshotAt: 2 });
    disk.state = { ...(disk.state as JobState), reachedStep: 4 };
    const resumed = resume(disk, plan, 2);
    const { firstStep, lastStep, epochFirstStep, soFar, restoreDigest, resetOptimizer } = resumed.work('train').train;
    const taken = aTaken(resumed.state, { step: 3, member: 0 });
    assert.deepEqual(
      { firstStep, lastStep, epochFirstStep, soFar, restoreDigest, resetOptimizer },
      {
        firstStep: 4,
        lastStep: 5,
        epochFirstStep: 1,
        soFar: taken.sums,
        restoreDigest: taken.digest,
        resetOptimizer: false,
      },
    );
    const told = resumed.state.outbox.find(({ entry }) => entry.kind === 'jobResumed')?.entry;
    assert.ok(told?.kind === 'jobResumed');
    assert.deepEqual([told.step, told.stepsRedone, told.stage, told.epochInStage], [3, 1, 0, 0]);
  });

  it('looks for stages that were trained before only when it begins anew', () => {
    for (const { events, searches } of [
      { events: 1, searches: true },
      { events: 4, searches: false },
    ]) {
      const disk = new Disk();
      playFor(new Play(plan).gather(2), disk, { events, snapshotAt: 2 });
      const resumed = resume(disk, plan, 2);
      assert.equal(
        resumed.effects.some(({ kind }) => kind === 'findStages'),
        searches,
      );
    }
  });

  it('waits for another when a trainer is lost before training goes on, also where nothing was stored', () => {
    for (const events of [1, 4]) {
      const disk = new Disk();
      playFor(new Play(plan).gather(2), disk, { events, snapshotAt: 2 });
      const resumed = resume(disk, { ...plan, replicas: 3 }, 2);
      const { incarnation = '' } = resumed.state.members[0] ?? {};
      resumed.tell({ kind: 'lost', from: incarnation, reason: 'gone' });
      assert.deepEqual([resumed.state.phase, resumed.state.reason], ['Gathering', '1 of 3 trainers ready']);
      resumed.join(2, 50);
      assert.equal(resumed.kind(), 'train');
    }
  });

  it('leaves the time in which it stood still out of its durations', () => {
    const disk = new Disk();
    const play = new Play(plan).gather(2);
    playFor(play, disk, { events: 4, snapshotAt: 2 });
    const resumed = resume(disk, plan, 2);
    resumed.now += 50_000;
    resumed.answer(script);
    const { startedAt, epochs } = resumed.state.stages[0] ?? { startedAt: 0, epochs: [] };
    const seconds = epochs[0]?.trainSeconds ?? 0;
    assert.ok(seconds > 50 && seconds < 100, `${seconds} s: what passes while it trains counts, and nothing else`);
    assert.ok(startedAt - ((disk.state as JobState).stages[0]?.startedAt ?? 0) >= stoodStill);
  });

  it('leaves that time out of the time that is left, also while it waits for trainers', () => {
    const disk = new Disk();
    playFor(new Play(plan).gather(2), disk, { events: 4, snapshotAt: 2 });
    const waiting = resume(disk, plan, 0);
    const { remainingSeconds } = jobProgress(waiting.state, [], waiting.now);
    assert.equal(waiting.state.phase, 'Gathering');
    assert.ok(Number(remainingSeconds) > 0 && Number(remainingSeconds) < stoodStill / 1000, `${remainingSeconds} s`);
  });

  it('is refused no trainer for a directive of before: old members and their reports are unknown', () => {
    const disk = new Disk();
    const play = new Play(plan).gather(2);
    const [[from, report] = ['', undefined]] = play.reports(script);
    playFor(play, disk, { events: 4, snapshotAt: 2 });
    const resumed = resume(disk, plan, 1);
    assert.ok(report);
    const { state } = resumed;
    resumed.tell({ kind: 'report', from, report: { ...report, trained: aTrained(5) } });
    resumed.tell({ kind: 'snapshotTaken', from: incarnationOf(0), taken: aTaken(state, { step: 5, member: 0 }) });
    assert.deepEqual({ ...resumed.state, pending: null }, { ...state, pending: null });
    assert.deepEqual(resumed.state.pending.snapshots, []);
  });
});
