import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Digest } from '@thaw/common/content/digest.ts';
import type { EpochSums } from '@thaw/proto/gen/thaw/v1/EpochSums.ts';
import { aHello, aPlan, aReady, aStage, aTaken, incarnationOf, Play, stateAfter } from '../testing/builders.ts';
import { chosenMembers } from './choose-members.ts';
import type { Effect } from './events.ts';
import type { JobPlan } from './job-plan.ts';
import { scaleProblem } from './members.ts';
import { referenced } from './references.ts';

const gone = 'gone';

function sumsAfter(step: number): Required<EpochSums> {
  return { lossSum: step, penaltySum: 0, count: 10 * step, correct: step, stepsSkipped: 0, learningRate: 0.01 };
}

/** `steps`: the last step that each member has applied, by number; of others nothing is known. */
function stand(play: Play, steps: Readonly<Record<number, number>>): Play {
  for (const [index, step] of Object.entries(steps)) {
    play.places.set(incarnationOf(Number(index)), { appliedStep: step, sums: step > 0 ? sumsAfter(step) : null });
  }
  return play;
}

function training(trainers: number, changes: Partial<JobPlan> = {}): Play {
  return new Play(aPlan({ replicas: trainers, ...changes })).gather(trainers);
}

function lose(play: Play, ...indices: number[]): Play {
  for (const index of indices) play.tell({ kind: 'lost', from: incarnationOf(index), reason: gone });
  return play;
}

function membersOf(play: Play): number[] {
  return play.state.generation?.members.map(({ incarnation }) => Number.parseInt(incarnation, 16)) ?? [];
}

describe('a trainer that is lost while it trains', () => {
  it('halts the others, who go on after the step that they all have', () => {
    const play = lose(training(3), 1);
    assert.equal(play.kind(), 'halt');
    assert.deepEqual(membersOf(play), [0, 2]);
    assert.equal(play.state.generation?.number, 2);
    stand(play, { 0: 2, 2: 2 }).answer();
    const { train } = play.work('train');
    assert.deepEqual(
      [train.firstStep, train.lastStep, train.epochFirstStep, train.restoreDigest, train.soFar],
      [3, 4, 1, '', sumsAfter(2)],
    );
    assert.equal(play.state.cursor.step, 2);
    assert.deepEqual(
      play.state.outbox.flatMap(({ entry }) => (entry.kind === 'generationStarted' ? [entry.reason] : [])),
      ['every trainer is ready', 'without trainer-1'],
    );
  });

  it('moves no shard that need not move', () => {
    const play = training(3);
    const before = play.state.generation;
    lose(play, 1);
    const after = play.state.generation;
    for (const [shard, owner] of (before?.shardOwners ?? []).entries()) {
      const { name = '' } = before?.members[owner] ?? {};
      const { name: now } = after?.members[after.shardOwners[shard] as number] ?? {};
      if (name !== 'trainer-1') assert.equal(now, name);
    }
  });

  it('has the one who is a step behind take the state over from one who is not', () => {
    const play = stand(lose(training(3), 1), { 0: 2, 2: 3 }).answer();
    const { member, train } = play.work('handOver');
    assert.equal(member, 1, 'trainer-2 is the second member');
    assert.equal(train.firstStep, 4);
    play.answer();
    const next = play.work('train').train;
    assert.deepEqual([next.restoreDigest, next.restoring], [stateAfter(3), [incarnationOf(0)]]);
    assert.ok(referenced(play.state).has(stateAfter(3)), 'it is kept as long as somebody may restore it');
    play.answer();
    assert.ok(!referenced(play.state).has(stateAfter(3)));
  });

  it('begins the same work again when nobody has applied a step of it', () => {
    const play = training(2);
    const { train } = play.work('train');
    stand(lose(play, 0), { 1: 0 }).answer();
    assert.deepEqual(play.work('train').train, train);
  });

  it('leaves only the report to give when all steps were applied', () => {
    const play = stand(lose(training(2), 0), { 1: 4 }).answer();
    assert.deepEqual([play.work('train').train.firstStep, play.work('train').train.lastStep], [5, 4]);
    play.answer();
    assert.equal(play.kind(), 'evaluate');
  });

  it('stops the job where those who have gone equally far have other sums', () => {
    const play = stand(lose(training(3), 1), { 0: 2, 2: 2 });
    play.places.set(incarnationOf(2), { appliedStep: 2, sums: sumsAfter(3) });
    play.answer();
    assert.equal(play.state.failure?.code, 'StateDiverged');
  });

  it('halts once more when another one is lost before all have answered, and when the state is handed over', () => {
    const play = lose(training(4), 1);
    stand(play, { 0: 2, 2: 3, 3: 3 });
    lose(play, 3);
    assert.deepEqual([play.kind(), play.state.generation?.number], ['halt', 3]);
    play.answer();
    assert.equal(play.kind(), 'handOver');
    lose(play, 2);
    assert.equal(play.kind(), 'halt');
    play.answer();
    assert.deepEqual(
      play.effects.filter(({ kind }) => kind === 'takeUp'),
      [{ kind: 'takeUp' }],
      'whoever is a step behind was not told to hold what was to come next',
    );
  });

  it('ends the snapshots that are not complete, and asks for none of the former members', () => {
    const play = training(2);
    play.tell({ kind: 'snapshotDue' });
    const taken = aTaken(play.state, { step: 2, member: 0, plan: 1 });
    play.tell({ kind: 'snapshotTaken', from: incarnationOf(0), taken });
    const effects = play.tell({ kind: 'lost', from: incarnationOf(1), reason: gone });
    const isDropped = (effect: Effect): boolean => effect.kind === 'discard' && effect.digest === taken.digest;
    assert.ok(!effects.some(isDropped), 'who trains the step again may store the same bytes again');
    assert.equal(play.state.openPlan, null);
    stand(play, { 0: 2 }).answer();
    const [plan] = play.tell({ kind: 'snapshotDue' });
    assert.deepEqual(plan, { kind: 'plan', to: [incarnationOf(0)] });
    const next = aTaken(play.state, { step: 3, member: 0, plan: 2 });
    const [keep] = play.tell({ kind: 'snapshotTaken', from: incarnationOf(0), taken: next });
    assert.ok(keep?.kind === 'keepSnapshot');
    const { snapshot } = keep;
    assert.ok(play.tell({ kind: 'snapshotKept', digest: stateAfter(99) as Digest, snapshot }).some(isDropped));
  });

  it('pauses below the least number of trainers, and goes on by itself', () => {
    const play = stand(lose(training(2, { trainersMin: 2 }), 0), { 1: 3 }).answer();
    assert.deepEqual([play.kind(), play.kinds().at(-1)], ['halt', 'trainingPaused']);
    assert.equal(play.state.reason, 'paused: 1 of at least 2 trainers are left');
    play.join(1, 5).answer().answer();
    assert.deepEqual(play.work('train').train.restoring, [incarnationOf(5)]);
    assert.equal(play.work('train').train.firstStep, 4);
  });
});

describe('a trainer that is lost at other times', () => {
  it('has its parts of an evaluation done by the others', () => {
    const play = training(3).answer();
    const [[from, report] = ['', undefined]] = play.reports();
    assert.ok(report);
    play.tell({ kind: 'report', from, report });
    lose(play, 2);
    const { partOwners } = play.work('evaluate');
    assert.ok(partOwners.every((owner) => owner < 2));
    play.answer();
    assert.equal(play.kind(), 'store');
  });

  it('leaves no snapshot of an epoch that waits for its answer', () => {
    const play = training(2);
    const taken = aTaken(play.state, { step: 4, member: 0 });
    play.tell({ kind: 'snapshotTaken', from: incarnationOf(0), taken });
    lose(play.answer(), 1);
    assert.equal(play.kind(), 'evaluate');
    assert.deepEqual(play.state.pending.snapshots, []);
    play.tell({ kind: 'stop', reason: 'SIGINT' });
    play.answer().answer();
    assert.equal(play.kind(), 'halt');
    stand(play, { 0: 4 }).answer();
    assert.equal(play.kind(), 'handOver', 'where it stands is stored once more');
  });

  it('has the state stored by another', () => {
    const play = training(2).answer().answer();
    assert.equal(play.kind(), 'store');
    lose(play, 0).answer();
    assert.ok(play.state.held);
    assert.equal(play.kind(), 'train');
  });

  it('is no loss once the job is trained', () => {
    const play = training(2).playOn();
    lose(play, 0, 1);
    play.tell({ kind: 'exported', weightsDigest: 'sha256:w' });
    assert.equal(play.state.phase, 'Succeeded');
  });

  it('takes the job back to its newest snapshot when nobody is left, and those who come then train on', () => {
    const play = training(2);
    const effects = play.tell({ kind: 'lost', from: incarnationOf(0), reason: gone });
    assert.ok(!effects.some(({ kind }) => kind === 'takeUp'));
    lose(play, 1);
    assert.equal(play.effects.at(-1)?.kind, 'takeUp');
    assert.deepEqual([play.state.phase, play.kind()], ['Gathering', undefined]);
    play.join(2, 5);
    assert.equal(play.state.phase, 'Gathering', 'nothing begins before it is known where');
    const { plan, runToken } = play.state;
    const nothing = { snapshot: null, restorePoints: [], badSamples: [], damaged: [] };
    play.tell({ kind: 'resumed', plan, runToken, isSameReign: true, ...nothing });
    assert.deepEqual([play.kind(), membersOf(play)], ['train', [5, 6]]);
    assert.ok((play.state.generation?.number ?? 0) > 1, 'frames of before belong to no generation of now');
    play.playOn();
    assert.equal(play.state.phase, 'Exporting');
  });

  it('ends a job that was asked to end when nobody is left who could store anything', () => {
    const play = training(1);
    play.tell({ kind: 'stop', reason: 'SIGINT' });
    lose(play, 0);
    assert.deepEqual([play.state.phase, play.state.failure?.message], ['Cancelled', 'SIGINT']);
    const { plan, runToken } = play.state;
    const nothing = { snapshot: null, restorePoints: [], badSamples: [], damaged: [] };
    play.tell({ kind: 'resumed', plan, runToken, isSameReign: true, ...nothing });
    assert.equal(play.state.phase, 'Cancelled', 'what was under way comes too late');
  });
});

describe('a job that was ended where a stage begins', () => {
  for (const optimizerState of ['reset', 'keep'] as const) {
    it(`begins it as if it had not been, with optimizerState: ${optimizerState}`, () => {
      const stages = [aStage({ steps: 4 }), aStage({ name: 'block', steps: 4, optimizerState })];
      const play = training(1, { stages });
      while (play.kind() !== 'store') play.answer();
      play.tell({ kind: 'stop', reason: 'SIGINT' });
      play.answer();
      stand(play, { 0: 4 }).answer().answer();
      const keep = play.effects.findLast((effect) => effect.kind === 'keepSnapshot');
      assert.ok(keep?.kind === 'keepSnapshot');
      assert.equal(keep.snapshot.schedule.cursor.stage, 1);
      const again = new Play(play.state.plan);
      const digest = stateAfter(99) as Digest;
      again.tell({
        ...{
          kind: 'resumed',
          plan: play.state.plan,
          runToken: 'b'.repeat(16),
          isSameReign: false,
          snapshot: keep.snapshot,
        },
        restorePoints: [{ digest, stage: 1, epoch: 1, step: 4, states: [] }],
        ...{ badSamples: [], damaged: [] },
      });
      const { train } = again.join(1, 7).work('train');
      assert.deepEqual([train.firstStep, train.resetOptimizer], [5, optimizerState === 'reset']);
    });
  }
});

describe('a trainer that joins', () => {
  it('takes the state over and trains from the next step on', () => {
    const play = lose(training(2), 1);
    stand(play, { 0: 2 }).answer();
    play.join(1, 5);
    assert.deepEqual([play.kind(), membersOf(play)], ['halt', [0, 5]]);
    stand(play, { 0: 3 }).answer();
    assert.equal(play.work('handOver').member, 0);
    play.answer();
    const { firstStep, restoreDigest, restoring } = play.work('train').train;
    assert.deepEqual([firstStep, restoreDigest, restoring], [4, stateAfter(3), [incarnationOf(5)]]);
  });

  it('is believed nothing about what it holds', () => {
    const play = lose(training(2), 1);
    stand(play, { 0: 2 }).answer();
    play.join(1, 5);
    stand(play, { 0: 2, 5: 3 }).answer();
    assert.deepEqual(play.work('handOver').train.restoring, [incarnationOf(5)]);
    assert.equal(play.work('handOver').train.firstStep, 3);
  });

  it('waits while the others evaluate', () => {
    const play = lose(training(2), 1);
    stand(play, { 0: 4 }).answer().answer();
    assert.equal(play.kind(), 'evaluate');
    play.join(1, 5);
    assert.deepEqual([play.kind(), membersOf(play)], ['evaluate', [0]]);
    play.answer().answer();
    assert.deepEqual([play.kind(), membersOf(play)], ['halt', [0, 5]]);
  });

  it('replaces a process of the same name that was not missed yet', () => {
    const play = training(2);
    play.tell({ kind: 'hello', hello: aHello(5, { name: 'trainer-1' }) });
    assert.deepEqual([play.kind(), membersOf(play)], ['halt', [0]]);
    assert.deepEqual(play.effects.at(-1), { kind: 'direct', to: [incarnationOf(0)] });
    play.tell({ kind: 'ready', from: incarnationOf(5), ready: aReady() });
    assert.deepEqual(membersOf(play), [0, 5]);
  });

  const failureOf = (code: string) => ({ code, message: 'no addon', stage: 0, step: 0, tensor: '' });

  it('does not end the job by an error of its own', () => {
    const play = training(2);
    play.tell({ kind: 'hello', hello: aHello(5) });
    play.tell({ kind: 'failure', from: incarnationOf(5), failure: failureOf('EngineUnavailable') });
    assert.deepEqual([play.kind(), play.state.failure, play.kinds().at(-1)], ['train', null, 'trainerLost']);
  });

  it('does not end it either when the others are gone and it wakes with what it was told before', () => {
    const play = lose(training(2), 0, 1).join(1, 1);
    assert.equal(play.state.phase, 'Gathering');
    play.tell({ kind: 'failure', from: incarnationOf(1), failure: failureOf('Internal') });
    assert.deepEqual([play.state.phase, play.kinds().at(-1)], ['Gathering', 'trainerLost']);
  });

  it('that has only lost touch ends no job, though it trains', () => {
    const play = training(2);
    play.tell({ kind: 'failure', from: incarnationOf(1), failure: failureOf('CoordinatorLost') });
    assert.deepEqual([play.kind(), membersOf(play)], ['halt', [0]]);
  });
});

describe('another number of trainers', () => {
  it('takes in those who wait, and lets the highest names go', () => {
    const play = training(1);
    play.tell({ kind: 'scale', replicas: 3 });
    assert.equal(play.kind(), 'train', 'nobody is there yet');
    play.join(2, 1);
    stand(play, { 0: 1 }).answer().answer();
    assert.deepEqual([play.kind(), membersOf(play)], ['train', [0, 1, 2]]);
    const effects = play.tell({ kind: 'scale', replicas: 2 });
    const released = effects.flatMap((effect) => (effect.kind === 'release' ? [effect] : []));
    assert.deepEqual(
      released.map(({ to, reason }) => [to, reason]),
      [[incarnationOf(2), 'the job wants 2 trainers']],
    );
    assert.deepEqual([play.kind(), membersOf(play)], ['halt', [0, 1]]);
    assert.ok((released[0]?.revision ?? 0) < (play.state.directive?.revision ?? 0));
    assert.ok(chosenMembers(play.state).every(({ name }) => name !== 'trainer-2'));
  });

  it('lets one go that nobody wants', () => {
    const play = training(2).join(1, 5);
    assert.ok(play.effects.some((effect) => effect.kind === 'release' && effect.to === incarnationOf(5)));
    assert.equal(play.kind(), 'train');
    assert.deepEqual(membersOf(play), [0, 1]);
  });

  it('waits for the end of an evaluation', () => {
    const play = training(2).answer();
    play.tell({ kind: 'scale', replicas: 1 });
    assert.deepEqual([play.kind(), membersOf(play)], ['evaluate', [0, 1]]);
    play.answer().answer();
    assert.deepEqual([play.kind(), membersOf(play)], ['halt', [0]]);
  });

  it('is refused outside of what the job allows', () => {
    const { state } = training(2, { trainersMin: 2 });
    assert.equal(
      scaleProblem(state, 9),
      'found 9 trainers; expected 2 to 8 (trainers.min and trainers.max of the job)',
    );
    assert.match(scaleProblem(state, 1) ?? '', /^found 1 trainers; expected 2 to 8/);
    assert.equal(scaleProblem(state, 8), null);
  });
});
