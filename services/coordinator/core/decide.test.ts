// A job's life through the real core: gathering, epochs, stages, the best state, the test, and every way to fail.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  aHello,
  aPlan,
  aReady,
  aStage,
  aTrained,
  incarnationOf,
  Play,
  someEvaluated,
  someParts,
} from '../testing/builders.ts';
import { encodeState, stateBytesMax } from './stored-form.ts';

describe('gathering', () => {
  it('welcomes trainers and starts when as many as wanted are ready', () => {
    const play = new Play(aPlan());
    play.tell({ kind: 'started' });
    assert.deepEqual(play.tell({ kind: 'hello', hello: aHello(0) }), [{ kind: 'welcome', to: incarnationOf(0) }]);
    play.tell({ kind: 'ready', from: incarnationOf(0), ready: aReady() });
    play.tell({ kind: 'hello', hello: aHello(1) });
    assert.equal(play.state.phase, 'Gathering');
    assert.equal(play.state.reason, '1 of 2 trainers ready');
    play.tell({ kind: 'ready', from: incarnationOf(1), ready: aReady() });
    assert.equal(play.state.phase, 'Training');
    assert.deepEqual(play.state.generation?.shardOwners, [0, 0, 0, 0, 1, 1, 1, 1]);
    assert.deepEqual(play.kinds(), [
      'jobStarted',
      'trainerJoined',
      'trainerReady',
      'trainerJoined',
      'trainerReady',
      'generationStarted',
      'stageStarted',
    ]);
  });

  it('refuses a trainer whose engine computes other bits, with both side by side', () => {
    const play = new Play(aPlan());
    for (const i of [0, 1]) play.tell({ kind: 'hello', hello: aHello(i) });
    play.tell({ kind: 'ready', from: incarnationOf(0), ready: aReady() });
    const [refusal] = play.tell({ kind: 'ready', from: incarnationOf(1), ready: aReady({ probeDigest: 'other' }) });
    assert.equal(refusal?.kind, 'refuse');
    assert.equal(refusal.code, 'EngineClassMismatch');
    assert.match(refusal.message, /trainer-1 .*probe other.*probe abc/);
    assert.equal(play.state.phase, 'Gathering');
    assert.deepEqual(
      play.state.members.map(({ name }) => name),
      ['trainer-0'],
    );
    play.tell({
      kind: 'failure',
      from: incarnationOf(1),
      failure: { code: 'Internal', message: 'x', stage: 0, step: 0, tensor: '' },
    });
    assert.equal(play.state.phase, 'Gathering');
  });

  for (const { name, hello, code } of [
    { name: 'another protocol version', hello: aHello(9, { protocolVersion: 7 }), code: 'VersionUnknown' },
    { name: 'another job', hello: aHello(9, { jobDigest: 'sha256:other' }), code: 'ProtocolViolation' },
  ]) {
    it(`refuses ${name}`, () => {
      const [refusal] = new Play(aPlan()).tell({ kind: 'hello', hello });
      assert.equal(refusal?.kind === 'refuse' && refusal.code, code);
    });
  }

  it('goes on without one that is lost, and begins as soon as another is ready', () => {
    const play = new Play(aPlan()).gather(0).join(1);
    play.tell({ kind: 'lost', from: incarnationOf(0), reason: 'gone' });
    assert.deepEqual([play.state.reason, play.kinds().at(-1)], ['0 of 2 trainers ready', 'trainerLost']);
    play.join(2, 1);
    assert.equal(play.kind(), 'train');
  });

  it('begins when fewer are wanted', () => {
    const play = new Play(aPlan()).gather(1);
    assert.equal(play.kind(), undefined);
    play.tell({ kind: 'scale', replicas: 1 });
    assert.equal(play.kind(), 'train');
  });

  it('leaves when a trainer has seen a higher term', () => {
    const effects = new Play(aPlan()).tell({ kind: 'hello', hello: aHello(0, { highestTerm: 2 }) });
    assert.deepEqual(effects, [{ kind: 'superseded', term: 2 }]);
  });
});

describe('an epoch', () => {
  it('is trained, evaluated, stored when it is the best, then the next one begins', () => {
    const play = new Play(aPlan()).gather(2);
    assert.deepEqual(play.work('train').train, {
      stage: 0,
      epoch: 0,
      firstStep: 1,
      lastStep: 4,
      stageFirstStep: 1,
      restoreDigest: 'source',
      resetOptimizer: false,
      epochFirstStep: 1,
      soFar: null,
      snapshotMember: 0,
      restoring: [],
    });
    play.answer();
    assert.deepEqual(play.work('evaluate').partOwners, [0, 0, 1]);
    play.answer();
    assert.equal(play.kind(), 'store');
    play.answer();
    assert.deepEqual([play.work('train').train.epoch, play.work('train').train.firstStep], [1, 5]);
    assert.equal(play.state.stages[0]?.best?.stored?.epoch, 0);
  });

  it('is not stored when it is neither better nor the last; equal is not better', () => {
    const play = new Play(aPlan({ stages: [aStage({ steps: 12 })] })).gather(2);
    play.answer().answer().answer();
    play.answer().answer([5]);
    assert.deepEqual(play.work('train').train.epoch, 2);
    assert.equal(play.state.stages[0]?.best?.epoch, 0);
  });

  it('waits for every member, and takes a repeated or stale report once', () => {
    const play = new Play(aPlan()).gather(2);
    const [first, second] = [...play.reports()];
    assert.ok(first && second);
    play.tell({ kind: 'report', from: first[0], report: first[1] });
    play.tell({ kind: 'report', from: first[0], report: first[1] });
    assert.equal(play.kind(), 'train');
    play.tell({ kind: 'report', from: second[0], report: second[1] });
    assert.equal(play.kind(), 'evaluate');
    play.tell({ kind: 'report', from: second[0], report: second[1] });
    assert.equal(play.kind(), 'evaluate');
    assert.equal(play.state.phase, 'Evaluating');
  });

  it('sums the parts exactly, whoever computed them', () => {
    const metrics = [1, 2, 4].map((replicas) => {
      const play = new Play(aPlan({ replicas })).gather(replicas).answer().answer([7]);
      return play.state.stages[0]?.epochs[0]?.validation;
    });
    assert.deepEqual(metrics[0], { loss: 0.3, accuracy: 0.7, macroF1: 14 / 17 / 2, auc: 0.5, count: 30 });
    assert.deepEqual(metrics[1], metrics[0]);
    assert.deepEqual(metrics[2], metrics[0]);
  });
});

describe('stages', () => {
  const twoStages = [
    aStage({ steps: 40, advanceOn: { metric: 'accuracy', mode: 'max', patience: 2, minDelta: 0 } }),
    aStage({ name: 'block', steps: 4, onEnter: 'restoreBest' }),
  ];

  it('end on a plateau; the next one restores the best state and resets the optimizer', () => {
    const play = new Play(aPlan({ stages: twoStages })).gather(2);
    while (play.state.cursor.stage === 0) play.answer([5, 8, 7, 7, 9]);
    const train = play.work('train').train;
    assert.equal(train.epoch, 4);
    assert.equal(train.firstStep, 17);
    assert.equal(train.stageFirstStep, 17);
    assert.equal(train.resetOptimizer, true);
    assert.equal(train.restoreDigest, `sha256:${(1).toString(16).padStart(64, 'e')}`);
    assert.match(play.state.stages[0]?.ended ?? '', /accuracy has not improved/);
  });

  it('that end with their best epoch restore nothing', () => {
    const play = new Play(aPlan({ stages: [aStage({ steps: 8 }), aStage({ onEnter: 'restoreBest' })] })).gather(2);
    while (play.state.cursor.stage === 0) play.answer([5, 8]);
    assert.equal(play.work('train').train.restoreDigest, '');
  });

  it('may end with a short epoch', () => {
    const play = new Play(aPlan({ stages: [aStage({ steps: 6 })] })).gather(2).answer().answer().answer();
    assert.deepEqual([play.work('train').train.firstStep, play.work('train').train.lastStep], [5, 6]);
  });

  it('are followed, in a job that asks for it, by the fit of a temperature on the validation set, with the same weights', () => {
    const play = new Play(aPlan({ stages: twoStages, calibrate: 'temperature' })).gather(2);
    while (play.kind() !== 'evaluate' || play.work('evaluate').temperatures.length === 0) play.answer([5, 8, 9, 8, 7]);
    const fit = play.work('evaluate');
    assert.deepEqual(
      [fit.split, fit.temperatures.length, play.state.reason],
      ['validation', 49, 'fitting the temperature'],
    );
    play.answer();
    const test = play.work('evaluate');
    assert.deepEqual([test.split, test.temperatures, test.restoreDigest], ['test', [2, 1], fit.restoreDigest]);
    assert.deepEqual(play.state.calibration, { temperature: 2, samples: 30 });
    play.answer();
    assert.deepEqual(play.kinds().slice(-2), ['calibrated', 'tested']);
    assert.deepEqual(play.state.test?.crossEntropy, { tempered: 0, plain: 1 });
  });

  it('are followed by the test of the best weights, the export, and success', () => {
    const play = new Play(aPlan({ stages: twoStages.map((stage) => ({ ...stage, steps: 8 })) })).gather(2);
    while (!(play.kind() === 'evaluate' && play.work('evaluate').split === 'test')) play.answer([5, 6, 9, 7]);
    assert.equal(play.work('evaluate').restoreDigest, `sha256:${(2).toString(16).padStart(64, 'e')}`);
    play.answer([8]);
    assert.equal(play.state.phase, 'Exporting');
    assert.ok(play.effects.some(({ kind }) => kind === 'export'));
    assert.equal(play.state.test?.epoch, 2);
    assert.equal(play.state.test?.accuracy, 0.8);
    play.tell({ kind: 'lost', from: incarnationOf(0), reason: 'it left' });
    const effects = play.tell({ kind: 'exported', weightsDigest: 'sha256:w' });
    assert.equal(play.state.phase, 'Succeeded');
    assert.deepEqual(effects, [{ kind: 'ended' }]);
    assert.equal(play.kinds().at(-1), 'jobSucceeded');
  });

  it('drops stored states that a better one replaced, never the best of an earlier stage', () => {
    const play = new Play(aPlan({ stages: twoStages.map((stage) => ({ ...stage, steps: 12 })) })).gather(2);
    play.playOn([1, 2, 3, 4, 5, 6]);
    const discarded = play.effects.flatMap((effect) => (effect.kind === 'discard' ? [effect.digest.slice(-1)] : []));
    assert.deepEqual(discarded, ['0', '1', '3', '4']);
  });

  it('keep the stored state small over as many stages as a job may have, and many epochs', () => {
    const stages = Array.from({ length: 64 }, (_, i) => aStage({ name: `stage-${i}`, steps: 80 }));
    const retention = { classes: 2, maxDrop: null, onExceed: 'stop' } as const;
    const samples = { train: 100, validation: 20, test: 20, retention: 10 };
    const parts = { validation: 3, test: 3, retention: 1 };
    const play = new Play(aPlan({ stages, samples, parts, retention })).gather(2);
    for (let turns = 0; play.state.phase !== 'Exporting' && turns < 10_000; turns++) {
      play.answer([5, 6]);
      play.tell({ kind: 'published', sequence: play.state.eventSequence });
    }
    assert.equal(play.state.cursor.epoch, 64 * 20 - 1);
    assert.ok(encodeState(play.state).length < stateBytesMax);
  });
});

describe('a job fails', () => {
  it('naming the one whose state differs from the others', () => {
    const play = new Play(aPlan({ replicas: 3 })).gather(3);
    for (const [i, [from, report]] of [...play.reports()].entries()) {
      const trained = i === 1 ? aTrained(4, { stateDigest: 'wrong' }) : report.trained;
      play.tell({ kind: 'report', from, report: { ...report, trained: trained ?? null } });
    }
    assert.equal(play.state.failure?.code, 'StateDiverged');
    assert.match(play.state.failure?.message ?? '', /after step 4, trainer-1 differs from the others: .*wrong/);
    assert.ok(!play.kinds().includes('stateStored'));
  });

  it('when a frozen tensor changed', () => {
    const play = new Play(aPlan()).gather(2);
    for (const [from, report] of play.reports()) {
      play.tell({ kind: 'report', from, report: { ...report, trained: aTrained(4, { frozenIntact: false }) } });
    }
    assert.equal(play.state.failure?.code, 'FrozenChanged');
  });

  it('when a member reports parts that it does not own, or one twice', () => {
    for (const parts of [someParts([0, 0, 0], 0, 5), [...someParts([0], 0, 5), ...someParts([0], 0, 5)]]) {
      const play = new Play(aPlan()).gather(2).answer();
      const [[from, report] = ['', undefined]] = play.reports();
      assert.ok(report);
      play.tell({ kind: 'report', from, report: { ...report, evaluated: { ...someEvaluated([], 0, 5), parts } } });
      assert.equal(play.state.failure?.code, 'ProtocolViolation');
    }
  });

  it("with a trainer's own failure: its code, stage, step and tensor", () => {
    const play = new Play(aPlan()).gather(2);
    const failure = { code: 'NonFinite', message: 'NaN', stage: 0, step: 3, tensor: 'head/output/kernel' };
    play.tell({ kind: 'failure', from: incarnationOf(0), failure });
    const { message: _, trainer, ...rest } = play.state.failure ?? { message: '' };
    assert.deepEqual(rest, { code: 'NonFinite', stage: 0, step: 3, tensor: 'head/output/kernel' });
    assert.equal(trainer, 'trainer-0');
    play.tell({ kind: 'lost', from: incarnationOf(0), reason: 'gone' });
    assert.equal(play.state.failure?.code, 'NonFinite');
  });

  it('over the limit of bad samples, and lists them', () => {
    const play = new Play(aPlan()).gather(2);
    const bad = (id: string) => ({ split: 'train', id, reason: 'truncated' });
    play.tell({ kind: 'badSamples', from: incarnationOf(0), samples: [bad('a.png'), bad('b.png')] });
    assert.equal(play.state.phase, 'Training');
    play.tell({ kind: 'badSamples', from: incarnationOf(1), samples: [bad('c.png')] });
    assert.equal(play.state.failure?.code, 'TooManyBadSamples');
    assert.match(play.state.failure?.message ?? '', /3 of 100 train samples.*2 %:\n {2}a\.png: truncated\n/);
  });

  it('only once: what comes later changes nothing', () => {
    const play = new Play(aPlan()).gather(2);
    play.tell({ kind: 'cancel', reason: 'Ctrl-C' });
    const { state } = play;
    assert.equal(state.phase, 'Cancelled');
    play.tell({ kind: 'broken', code: 'BrokerLost', message: 'gone' });
    play.tell({ kind: 'exported', weightsDigest: 'sha256:w' });
    play.answer();
    assert.equal(play.state, state);
  });
});
